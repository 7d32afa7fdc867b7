// What people type by mistake, and that workq says what to do next.

import TestSupport
import Testing

@Suite("Mistakes") struct MistakesTests {
    /// What was typed, the status, and a piece of the answer.
    struct Mistake: CustomTestStringConvertible, Sendable {
        var words: [String]
        var status: Int32
        var answer: String
        var environment: [String: String] = [:]
        var testDescription: String { "workq " + words.joined(separator: " ") }

        init(_ words: String..., status: Int32 = 64, says answer: String, environment: [String: String] = [:]) {
            self.words = words
            self.status = status
            self.answer = answer
            self.environment = environment
        }
    }

    /// Nobody listens there.
    private static let away = ["WORKQ_URL": "amqp://127.0.0.1:1", "WORKQ_API_URL": "http://127.0.0.1:1"]

    static let mistakes = [
        // Other tools' commands.
        Mistake("ls", says: "did you mean list-queues?"),
        Mistake("list", says: "did you mean list-queues?"),
        Mistake("status", says: "did you mean list-queues?"),
        Mistake("get", "thumbnails", says: "did you mean work --count 1?"),
        Mistake("consume", "thumbnails", says: "did you mean work?"),
        Mistake("send", "thumbnails", "x", says: "did you mean publish?"),
        Mistake("put", "thumbnails", "x", says: "did you mean publish?"),
        Mistake("rm", "thumbnails", says: "did you mean delete?"),
        Mistake("peek", "thumbnails", says: "did you mean work --peek?"),
        Mistake("version", says: "did you mean --version?"),
        Mistake("pubish", "thumbnails", "x", says: "did you mean publish?"),
        Mistake("xyzzy", says: "there are publish, work, list-queues"),
        Mistake(says: "workq publish thumbnails photo-17.jpg"),
        Mistake("help", "ls", says: "did you mean list-queues?"),
        // Other tools' options.
        Mistake("publish", "q", "x", "--password", "s3cret", says: "did you mean --password-file"),
        Mistake("publish", "q", "-f", "x", says: "did you mean --file?"),
        Mistake("publish", "q", "x", "--host", "broker", says: "did you mean --url amqp://HOST:PORT?"),
        Mistake("publish", "q", "x", "--port", "5672", says: "did you mean --url amqp://HOST:PORT?"),
        Mistake("publish", "q", "x", "--user", "jobs", says: "did you mean --username?"),
        Mistake("publish", "q", "--body", "x", says: "the operand TASK, or standard input"),
        Mistake("publish", "q", "--lnes", says: "did you mean --lines?"),
        Mistake("publish", "q", "x", "-H", "a=1", says: "did you mean --header?"),
        Mistake("work", "q", "--concurrency", "4", "--", "cat", says: "did you mean --jobs?"),
        Mistake("work", "q", "--retries", "4", "--", "cat", says: "did you mean --max-attempts?"),
        Mistake("work", "q", "--once", "--", "cat", says: "did you mean --count 1?"),
        Mistake("delete", "q", "--force", says: "did you mean --yes?"),
        Mistake("list-queues", "--follow", says: "did you mean --watch?"),
        // URLs.
        Mistake("publish", "q", "x", "-u", "broker:5672", says: "amqp://broker:5672"),
        Mistake("publish", "q", "x", "-u", "http://broker", says: "it must start with amqp:// or amqps://"),
        Mistake("publish", "q", "x", "-u", "amqp://me:p/w@broker", says: "%2F"),
        Mistake("publish", "q", "x", "-u", "amqp://broker.example.net", says: "--username"),
        Mistake("publish", "q", "x", "-u", "amqp://jobs@broker.example.net", says: "--password-file"),
        Mistake("list-queues", "--api-url", "localhost:15672", says: "http://localhost:15672"),
        Mistake("publish", "q", "x", status: 69, says: "WORKQ_URL", environment: away),
        Mistake("list-queues", status: 69, says: "--api-url", environment: away),
        Mistake("publish", "q", "x", "-u", "amqp://me:pw@a:5672,b:5672", says: "--url again"),
        Mistake("publish", "q", "x", "-u", "amqp://a,b", says: "it names several hosts"),
        Mistake("publish", "q", "x", "-u", "amqp://:s3cret@broker", says: "has a password and no user"),
        Mistake("publish", "q", "x", "-u", "amqp://:s3cret@localhost", says: "has a password and no user"),
        Mistake("publish", "q", "x", "-u", "amqp://localhost/?heartbeats=5", says: "parameter heartbeats is unknown"),
        Mistake("publish", "q", "x", "-u", "amqp://localhost:1//", status: 69, says: "localhost:1"),
        Mistake("publish", "q", "x", "--persistent", says: "tasks are persistent"),
        Mistake("publish", "q", "x", "--expiration", "5s", says: "did you mean --ttl?"),
        Mistake("publish", "--queue", "q", "x", says: "did you mean the operand QUEUE?"),
        Mistake("publish", "q", "x", "--dry-run", says: "did you mean --check?"),
        Mistake("work", "q", "--no-ack", "--", "cat", says: "acknowledged once its command ended with status 0"),
        Mistake("work", "q", "--dry-run", "--", "cat", says: "did you mean --peek?"),
        Mistake("work", "q", "--delay", "5s", "--", "cat", says: "did you mean --retry-delay?"),
        Mistake("work", "q", "-c", "5", "--", "cat", says: "did you mean --count?"),
        Mistake("purge", "q", "-f", says: "did you mean --yes?"),
        // Expressions.
        Mistake("list-queues", "--wait", "messages=>1", says: "goes wrong at character 10"),
        Mistake("list-queues", "--wait", "ready == 0", says: "did you mean messages_ready?"),
        Mistake("list-queues", "--wait", "messages 0", says: "a comparison such as =="),
        Mistake("list-queues", "--where", "name == q and", says: "goes wrong at"),
        Mistake("list-queues", "--sort", "ready", says: "did you mean messages_ready?"),
        Mistake("list-queues", "unacked", says: "did you mean messages_unacknowledged?"),
        Mistake("bench", "--fail-if", "p99 > 5", says: "a latency with us, ms or s"),
        Mistake("bench", "--fail-if", "p99 > +5%", says: "needs a --baseline"),
        Mistake("bench", "--duration", "10", "sec", says: "a time is one word, such as 5m"),
        // Values.
        Mistake("publish", "q", "x", "--header", "h:=NaN", says: "--header: \"NaN\" behind := isn't JSON"),
        Mistake("publish", "q", "x", "--header", "h:={\"a\":}", says: "isn't JSON"),
        Mistake("publish", "q", "x", "--header", "h:=", says: "h= is text"),
        Mistake("publish", "q", "x", "--queue-arg", "h:=tru", says: "h=tru is text"),
        Mistake("publish", "q", "-5", says: "goes behind --"),
        Mistake("work", "-9", "q", says: "goes behind --"),
        // Operands.
        Mistake("publish", says: "QUEUE is missing"),
        Mistake("publish", "", "x", says: "a queue's name"),
        Mistake("publish", "q", "two", "words", says: "unexpected operand \"words\""),
        Mistake("publish", "q", "task", "--lines", says: "exclude each other"),
        Mistake("work", "q", "./make-thumbnail", says: "COMMAND goes after --"),
        Mistake("work", "q", "--", says: "COMMAND is missing after --"),
        Mistake("work", "q", "--jobs", "0", "--", "cat", says: "a whole number, from 1"),
        Mistake("work", "q", "--timeout", "10min", "--", "cat", says: "such as 500ms, 30s, 5m or 2h"),
        Mistake("list-queues", "thumbnails", says: "--queue thumbnails"),
        Mistake("list-queues", "mesages", says: "did you mean messages?"),
        Mistake("purge", says: "QUEUE is missing"),
        Mistake("list-queues", "--format", "xml", says: "table"),
    ]

    @Test("P14 each answer names what to do next, in one sentence and without a library's name", arguments: mistakes)
    func answer(mistake: Mistake) async throws {
        let result = try await WorkqProcess.run(mistake.words, environment: mistake.environment)
        #expect(result.status == mistake.status, "\(result)")
        #expect(result.errors.contains(mistake.answer), "\(result)")
        #expect(result.errors.hasPrefix("workq: ") && result.text == "", "\(result)")
        for odd in ["librabbitmq", "libcurl", "?.", "..", ". .", "s3cret"] where !mistake.words.isEmpty {
            #expect(!result.errors.contains(odd), "\(result)")
        }
        if !mistake.words.isEmpty {
            #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
        }
    }

    @Test("a command line in one word is told from its words")
    func quotedCommand() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["task"])
        let result = try await fixture.run("work", fixture.queue, "--", "cat -n")
        #expect(result.status == 78 && result.errors.contains("Its words stand apart: -- cat -n"), "\(result)")
    }

    @Test("a queue that nobody may name so is refused as what it is, with the reserved prefix")
    func reservedPrefix() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run("publish", "amq.mine", "x")
        #expect(result.status == 65 && result.errors.contains("amq."), "\(result)")
    }

    @Test("P14 an internal exchange is no matter of permissions, and a byte order mark is shown as what it is")
    func reasons() async throws {
        let fixture = try Fixture()
        let intern = try await fixture.run("publish", "--exchange", "amq.rabbitmq.trace", "x")
        #expect(intern.status == 65 && intern.errors.contains("internal exchange"), "\(intern)")
        #expect(!intern.errors.contains("permission"), "\(intern)")
        let marked = try await fixture.run(
            "publish", "--ndjson", fixture.queue, input: .text("{\"body\":\"1\"}\n\u{feff}{\"body\":\"2\"}\n"))
        #expect(marked.status != 0 || fixture.ready() == 2, "\(marked)")
        #expect(!marked.errors.contains("\u{feff}"), "\(marked)")
        let file = try await fixture.run(
            "publish", fixture.queue, "--queue-type", "classic", "--header", "a:=\u{feff}1", "x")
        #expect(file.status == 64 && !file.errors.contains("\u{feff}"), "\(file)")
    }

    @Test("P14 counts are words: one task is no \"1 tasks\"")
    func counts() async throws {
        let fixture = try Fixture()
        for (input, form) in [("1\n", "1 task"), ("1\n2\n", "2 tasks")] {
            let result = try await fixture.run("publish", "--lines", fixture.queue, "-v", input: .text(input))
            #expect(result.errors.contains("\(form) ") || result.errors.contains("\(form)."), "\(result)")
            #expect(!result.errors.contains("1 tasks"), "\(result)")
        }
        let lost = try await fixture.run("publish", "--lines", "--no-create", "nosuch", input: .text("1\n"))
        #expect(lost.status == 65 && !lost.errors.contains("1 tasks"), "\(lost)")
    }
}
