// Looking at tasks where they are, and choosing among them.

import Broker
import Options
import Posix
import Worker

extension WorkCommand {
    static var scanOptions: [Option<Values>] {
        [
            .value(
                "--peek", of: .countOrDefault(10, 1...1_000_000), into: \.peek,
                "print the first N tasks and leave them in their place",
                details: "As lines of JSON, with all that a task has, or with `-0` the bodies alone. They keep their "
                    + "order "
                    + "and no attempt is counted, but the broker marks them as redelivered; on a quorum queue each "
                    + "look "
                    + "also counts towards the delivery limit, at which the broker drops a task. Nothing is created. "
                    + "It takes the "
                    + "permissions to read from the queue and to configure it: the broker tells its type only so. N "
                    + "is 10 unless it is given."),
            .value(
                "--where", of: .expression("EXPRESSION", read: TaskCondition.init(ofTask:)), into: \.condition,
                "print, move or peek at the tasks for which EXPRESSION holds; the others stay in their place",
                details: "A single pass over what is on the queue, oldest first; see CONDITIONS. Until it is over no "
                    + "other worker gets the tasks that stay, and then they count as redelivered. Of a quorum queue "
                    + "the "
                    + "first 65,535 tasks are looked at."),
            .flag(
                "--ndjson", sets: \.isNDJSON, to: true,
                "print tasks as lines of JSON, as publish --ndjson reads them",
                details: "With properties and headers, so that nothing is lost on the way through a file."),
        ]
    }

    static var conditionSection: ManualSection {
        ManualSection(
            title: "Conditions",
            paragraphs: [
                "`--where` compares what a task has with numbers, durations, sizes and texts in quotes, as in "
                    + "`'x-workq-reason == \"timeout\" and age > 1h'`. There are `==` or `=`, "
                    + "`!=`, `<`, `<=`, `>`, `>=`, and "
                    + "for texts `=~` and `!~` with a regular expression, joined by `and`, `or`, `not` and "
                    + "parentheses. Nothing holds of what a task doesn't have: it stays."
            ],
            terms: [
                ("size", "the bytes of the body: `size > 64k`"),
                ("age", "the time since its timestamp: `age > 1h`"),
                ("attempt", "which attempt it would be, from 1"),
                ("redelivered", "`true` or `false`"),
                ("body", "the body, where it is UTF-8"),
                ("exchange, routing_key", "what it was published with"),
                ("message_id, type, priority, ...", "its properties, as `publish --ndjson` names them"),
                ("NAME-WITH-DASH, header.NAME", "a header"),
            ])
    }
}

extension WorkCommand.Values {
    /// Whether a single pass is made over what is on the queue.
    var isScan: Bool { peek != nil || isMovingBack || condition != nil }

    /// What is printed of a task; a look is at everything, unless only bodies are asked for.
    func text(of delivery: Delivery) -> [UInt8] {
        guard isNDJSON || peek != nil && separator != 0 else { return delivery.body + [separator] }
        return Self.line(delivery)
    }

    @Sendable static func line(_ delivery: Delivery) -> [UInt8] {
        var line: [UInt8] = []
        TaskRecord(saving: delivery).appendLine(to: &line)
        return line
    }

    /// What a queue is created with where it is missing.
    func newQueue(deadLetterQueue: String? = nil) throws(CommandError) -> NewQueue {
        NewQueue(
            type: queueType, arguments: try FieldTable(ofNewQueue: queueArguments, for: WorkCommand.name),
            deadLetterQueue: deadLetterQueue)
    }

    /// With what to connect for tasks that go to another broker; nil where they don't.
    func targetParameters(in context: CommandContext) throws(CommandError) -> ConnectionParameters? {
        guard var targetURL else { return nil }
        if targetURL.hasPrefix("@") {
            targetURL = try PasswordFile.read(String(targetURL.dropFirst()), in: context).revealed
        }
        var options = connection
        options.urls = [targetURL]
        // Who tasks come from is nobody that the other broker should hear of.
        (options.environmentURL, options.vhost, options.username) = (nil, nil, nil)
        (options.passwordFile, options.environmentPasswordFile) = (nil, nil)
        return try options.parameters(for: WorkCommand.name, in: context)
    }
}

extension ValueFormat where Value == Int {
    /// A count that may be left out.
    fileprivate static func countOrDefault(_ usual: Int, _ range: ClosedRange<Int>) -> Self {
        var format = count("[N]", range)
        let parse = format.parse
        format.parse = { $0.isEmpty ? usual : parse($0) }
        return format
    }
}
