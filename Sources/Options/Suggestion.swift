// "Did you mean": finds the known word nearest to a mistyped one.

/// Finds a likely intended word.
package enum Suggestion {
    /// Words that people bring along from other tools, and what to type here instead, as it follows "did you mean". Of
    /// options, the one that the command has.
    private static let foreign: [String: [String]] = [
        "ls": ["list-queues"], "list": ["list-queues"], "queues": ["list-queues"], "status": ["list-queues"],
        "watch": ["list-queues --watch"], "top": ["list-queues --watch"], "get": ["work --count 1"],
        "consume": ["work"],
        "run": ["work"], "worker": ["work"], "listen": ["work"], "subscribe": ["work"], "send": ["publish"],
        "pub": ["publish"],
        "put": ["publish"], "push": ["publish"], "enqueue": ["publish"], "empty": ["purge"], "clear": ["purge"],
        "rm": ["delete"], "remove": ["delete"], "drop": ["delete"], "benchmark": ["bench"], "perf": ["bench"],
        "move": ["work --move-to"], "shovel": ["work --move-to"], "peek": ["work --peek"], "browse": ["work --peek"],
        "version": ["--version"],
        "--password": ["--password-file, which keeps the password out of the command line"],
        "--passwd": ["--password-file"], "--user": ["--username"], "--login": ["--username"],
        "--host": ["--url amqp://HOST:PORT"], "--hostname": ["--url amqp://HOST:PORT"],
        "--port": ["--url amqp://HOST:PORT"],
        "--server": ["--url amqp://HOST:PORT"], "--uri": ["--url"], "--broker": ["--url amqp://HOST:PORT"],
        "--body": ["the operand TASK, or standard input"],
        "--payload": ["the operand TASK, or standard input"], "--message": ["the operand TASK, or standard input"],
        "--routing_key": ["--routing-key"], "--concurrency": ["--jobs"], "--workers": ["--jobs"],
        "--parallel": ["--jobs"],
        "--threads": ["--jobs"], "--retries": ["--max-attempts"], "--tries": ["--max-attempts"],
        "--ssl": ["--url amqps://HOST"],
        "--tls": ["--url amqps://HOST"], "--ca": ["--cacert"], "--cafile": ["--cacert"],
        "--follow": ["--watch"], "--force": ["--yes"], "--once": ["--count 1"],
        "-f": ["--file", "--yes"], "-H": ["--header"], "-c": ["--count", "--consumers"],
        "-n": ["--count", "--messages"],
        "--dry-run": ["--peek", "--check"], "--queue": ["the operand QUEUE"], "--delay": ["--retry-delay"],
        "--expire": ["--ttl"], "--expiration": ["--ttl"], "--queue-name": ["the operand QUEUE"],
        "start": ["work"],
    ]

    /// Options of other tools for what needs none here.
    private static let needless = [
        "--persistent": "tasks are persistent unless --transient says otherwise", "--durable": "queues are durable",
        "--ack": "a task is acknowledged once its command ended with status 0",
        "--no-ack": "a task is acknowledged once its command ended with status 0",
        "--auto-ack": "a task is acknowledged once its command ended with status 0",
        "--confirm": "publish waits for confirms unless --no-confirm says otherwise",
    ]

    /// What to say to somebody who typed a word that isn't among `candidates`; nil when nothing comes near.
    package static func hint(for word: String, among candidates: [String]) -> String? {
        let isOption = word.hasPrefix("-")
        let known = foreign[word]?.first { meant in
            let option = String(meant.prefix { $0 != " " && $0 != "," })
            return !isOption || !option.hasPrefix("-") || candidates.contains(option)
        }
        if known == nil, let reason = needless[word] { return reason }
        return (known ?? nearest(to: word, among: candidates)).map { "did you mean \($0)?" }
    }

    /// Short words for columns with longer names.
    private static let columns = [
        "ready": "messages_ready", "unacked": "messages_unacknowledged", "unacknowledged": "messages_unacknowledged",
        "depth": "messages", "length": "messages", "size": "message_bytes", "count": "messages", "tasks": "messages",
        "workers": "consumers",
    ]

    /// The column that was probably meant; nil when none comes near.
    package static func column(for word: String, among candidates: [String]) -> String? {
        columns[word].flatMap { candidates.contains($0) ? $0 : nil } ?? nearest(to: word, among: candidates)
    }

    /// The candidate that is fewest edits away from `word`, or nil when none is close enough to be meant.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        let word = word.lowercased()
        let letters = word.filter { $0 != "-" }.count
        // One edit turns any single letter into any other, so there only the case may differ.
        let limit = letters < 2 ? 0 : max(1, letters / 3)
        let ranked = candidates.map { (candidate: $0, distance: distance(word, $0.lowercased())) }
        let best = ranked.min { $0.distance < $1.distance }
        return best.flatMap { $0.distance <= limit ? $0.candidate : nil }
    }

    /// The number of single-character insertions, deletions, replacements and swaps of neighbours between two words.
    static func distance(_ first: String, _ second: String) -> Int {
        let first = Array(first)
        let second = Array(second)
        var beforePrevious: [Int] = []
        var previous = Array(0...second.count)
        for (row, character) in first.enumerated() {
            var current = [row + 1]
            for (column, other) in second.enumerated() {
                let replacement = previous[column] + (character == other ? 0 : 1)
                var best = min(replacement, previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, character == second[column - 1], other == first[row - 1] {
                    best = min(best, beforePrevious[column - 1] + 1)
                }
                current.append(best)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[second.count]
    }
}
