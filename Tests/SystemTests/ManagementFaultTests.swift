// What list-queues makes of a management API that fails, lies, stalls or isn't one: replies by script.

import Foundation
import TestSupport
import Testing

@Suite("management faults", .serialized, .timeLimit(.minutes(5)))
struct ManagementFaultTests {
    /// `workq list-queues` at a scripted API. No broker listens where it would look for one.
    private func list(
        _ options: String..., login: String = "guest:guest@",
        script: @escaping @Sendable (PeerConnection) throws -> Void
    ) async throws -> WorkqProcess.Result {
        let peer = try ScriptedPeer(script: script)
        defer { peer.stop() }
        return try await WorkqProcess.run(
            ["list-queues"] + options,
            environment: [
                "WORKQ_URL": "amqp://\(login)127.0.0.1:1", "WORKQ_API_URL": "http://\(login)127.0.0.1:\(peer.port)",
            ])
    }

    private static func queue(_ name: String, ready: Int, vhost: String = "/") -> String {
        """
        {"name":"\(name)","vhost":"\(vhost)","type":"classic","messages":\(ready),"messages_ready":\(ready),\
        "messages_unacknowledged":0}
        """
    }

    @Test("the cheap query is asked for, with the login, every byte of the vhost encoded; statistics only for a column")
    func requests() async throws {
        let cheap = try await list("--vhost", "a/b %2F", login: "me:p%40ss@") { peer in
            let request = try peer.expectRequest()
            try peer.check(
                request.target == "/api/queues/a%2Fb%20%252F?disable_stats=true&enable_queue_totals=true",
                request.target)
            try peer.check(request.headers["authorization"] == "Basic bWU6cEBzcw==", "\(request.headers)")
            try peer.answer("[" + Self.queue("q", ready: 5) + "]")
            try peer.silence()
        }
        #expect(cheap.status == 0 && cheap.lines.last == "q\t5\t0", "\(cheap)")
        let statistics = try await list("name", "memory", "--all-vhosts") { peer in
            let request = try peer.expectRequest()
            try peer.check(request.target == "/api/queues", request.target)
            try peer.answer("[{\"name\":\"q\",\"vhost\":\"v\",\"memory\":17}]")
        }
        #expect(statistics.status == 0 && statistics.lines.last == "q\t17", "\(statistics)")
        let page = try await list("--limit", "2") { peer in
            let request = try peer.expectRequest()
            try peer.check(request.target.hasSuffix("&pagination=true&page=1&page_size=2&sort=name"), request.target)
            try peer.answer("{\"items\":[" + Self.queue("q", ready: 5) + "],\"page\":1}")
        }
        #expect(page.status == 0 && page.lines.last == "q\t5\t0", "\(page)")
    }

    @Test("O9 a 500 is tried once more, a second one is 75")
    func serverError() async throws {
        let once = try await list { peer in
            _ = try peer.expectRequest()
            try peer.answer(status: "500 Internal Server Error", headers: ["connection: close"], "{\"error\":\"x\"}")
            peer.close()
            let next = try peer.accept()
            _ = try next.expectRequest()
            try next.answer("[]")
        }
        #expect(once.status == 0 && once.lines == ["name\tmessages_ready\tmessages_unacknowledged"], "\(once)")
        let twice = try await list { peer in
            for _ in 0..<2 {
                _ = try peer.expectRequest()
                try peer.answer(
                    status: "500 Internal Server Error",
                    "{\"error\":\"internal_server_error\",\"reason\":\"boom\\u001b[2J\"}")
            }
        }
        #expect(twice.status == 75 && twice.errors.contains("status 500: boom\\x1b[2J"), "\(twice)")
    }

    @Test("O9 HTML, other JSON, other servers: not the management API, 69")
    func notTheAPI() async throws {
        let replies: [@Sendable (PeerConnection) throws -> Void] = [
            { try $0.answer(type: "text/html", "<html>Welcome</html>") },
            { try $0.answer(status: "404 Not Found", type: "text/html", "<html>nginx</html>") },
            { try $0.answer("{\"queues\":[]}") }, { try $0.answer("[1,2]") }, { try $0.answer("[{\"nam\":\"q\"}]") },
            { try $0.answer("[{\"name\":}]") }, { try $0.answer("") }, { try $0.send(text: "SSH-2.0-OpenSSH\r\n\r\n") },
            { try $0.answer(status: "400 Bad Request", "") },
        ]
        for (index, reply) in replies.enumerated() {
            let result = try await list { peer in
                _ = try peer.expectRequest()
                try reply(peer)
                peer.close()
            }
            #expect(result.status == 69 && result.output.isEmpty, "\(index) \(result)")
            if index != 6 { #expect(result.errors.contains("isn't RabbitMQ's management API"), "\(index) \(result)") }
        }
    }

    @Test("O9 a login never follows a redirect")
    func redirect() async throws {
        let other = try ScriptedPeer(timeout: .seconds(60)) { peer in _ = try peer.expectRequest() }
        defer { other.stop() }
        let port = other.port
        let result = try await list { peer in
            _ = try peer.expectRequest()
            try peer.answer(status: "302 Found", headers: ["location: http://127.0.0.1:\(port)/api/queues"], "")
        }
        #expect(result.status == 69 && result.errors.contains("another address"), "\(result)")
        #expect(other.transcript.isEmpty && !other.isFinished)
    }

    @Test("O9 a reply that is cut off is 69, however it is cut off, and nothing of it is printed")
    func cutOff() async throws {
        let body = "[" + Self.queue("q", ready: 5) + "," + Self.queue("r", ready: 6)
        let heads = [
            "content-length: \(body.utf8.count)", "content-length: \(body.utf8.count + 100)", "connection: close",
        ]
        for head in heads {
            let result = try await list { peer in
                _ = try peer.expectRequest()
                try peer.send(text: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\(head)\r\n\r\n\(body)")
                peer.close()
            }
            #expect(result.status == 69 && result.output.isEmpty, "\(head) \(result)")
        }
        let chunked = try await list { peer in
            _ = try peer.expectRequest()
            try peer.send(
                text: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
                    + "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n")
            try peer.reset()
        }
        #expect(chunked.status == 69 && chunked.output.isEmpty, "\(chunked)")
        let short = try await list { peer in
            _ = try peer.expectRequest()
            try peer.send(
                text: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n\(body)]")
        }
        #expect(short.status == 69 && short.output.isEmpty, "\(short)")
    }

    @Test("O9 silence, and a reply that comes byte by byte, end at the time limit with 75")
    func slow() async throws {
        let replies: [@Sendable (PeerConnection) throws -> Void] = [
            { try $0.silence() },
            { peer in
                _ = try peer.expectRequest()
                try peer.send(text: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[")
                for _ in 0..<1_000 {
                    try peer.send(text: " ")
                    try peer.silence(for: .milliseconds(50))
                }
            },
            { peer in
                _ = try peer.expectRequest()
                try peer.send(text: "HTTP/1.1 200 OK\r\n")
                for number in 0..<1_000 {
                    try peer.send(text: "x-\(number): y\r\n")
                    try peer.silence(for: .milliseconds(50))
                }
            },
        ]
        for (index, reply) in replies.enumerated() {
            let start = ContinuousClock.now
            let result = try await list("--timeout", "1s", script: reply)
            #expect(result.status == 75 && result.errors.contains("no whole answer within"), "\(index) \(result)")
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    @Test("O9 a gigabyte is refused: by its announced length, or as soon as no queue's description could be that long")
    func gigabyte() async throws {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        let announced = try await list { peer in
            _ = try peer.expectRequest()
            try peer.send(text: head + "content-length: 1073741824\r\n\r\n[")
            try peer.silence()
        }
        #expect(announced.status == 69 && announced.errors.contains("longer than any list"), "\(announced)")
        let endless = try await list { peer in
            _ = try peer.expectRequest()
            try peer.send(text: head + "\r\n[{\"name\":\"")
            let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
            for _ in 0..<16_384 { try peer.send(raw: piece) }
        }
        #expect(endless.status == 69 && endless.errors.contains("longer than any list"), "\(endless)")
        #expect(endless.residentKiB < 100 << 10, "\(endless.residentKiB) KiB")
    }

    @Test("O7 10,000 queues, unsorted and some twice: sorted, each once, in bounded memory, by one request")
    func manyQueues() async throws {
        let result = try await list { peer in
            _ = try peer.expectRequest()
            let queues = (0..<10_000).map { Self.queue("queue-\(($0 * 7_919) % 10_000)", ready: $0) }
            try peer.answer("[" + (queues + queues.prefix(500)).joined(separator: ",") + "]")
            try peer.silence()
        }
        let names = result.lines.dropFirst().map { $0.split(separator: "\t")[0].description }
        #expect(result.status == 0 && names.count == 10_000 && names == names.sorted(), "\(result.errors)")
        #expect((1..<64 << 10).contains(result.residentKiB), "\(result.residentKiB) KiB")
    }

    @Test("O8 counters that are missing, null or no numbers are - and null, never 0")
    func unknown() async throws {
        let body = """
            [{"name":"down","vhost":"/","state":"down"},{"name":"odd","vhost":"/","messages_ready":null,"consumers":"",\
            "messages_unacknowledged":0.5}]
            """
        let columns = ["name", "messages_ready", "messages_unacknowledged", "consumers", "state"]
        for (format, expected) in [
            ("tsv", ["down\t-\t-\t-\tdown", "odd\t-\t0.5\t-\t-"]),
            (
                "ndjson",
                [
                    #"{"name":"down","messages_ready":null,"messages_unacknowledged":null,"consumers":null,"state":"down"}"#,
                    #"{"name":"odd","messages_ready":null,"messages_unacknowledged":0.5,"consumers":null,"state":null}"#,
                ]
            ),
        ] {
            let peer = try ScriptedPeer { peer in
                _ = try peer.expectRequest()
                // Counts and statistics are two questions at a time, on a connection each unless one ends before the
                // other.
                try peer.answer(headers: ["connection: close"], body)
                let other = try peer.accept()
                _ = try other.expectRequest()
                try other.answer(body)
            }
            let result = try await WorkqProcess.run(
                ["list-queues", "-s", "--format", format] + columns,
                environment: ["WORKQ_API_URL": "http://guest:guest@127.0.0.1:\(peer.port)"])
            #expect(result.status == 0 && result.lines == expected, "\(result)")
        }
    }

    @Test("S6 no failure shows the password")
    func secret() async throws {
        for reply in ["401 Unauthorized", "500 Internal Server Error", "302 Found", "200 OK"] {
            let result = try await list(login: "me:CANARY@") { peer in
                for _ in 0..<2 {
                    _ = try peer.expectRequest()
                    try peer.answer(status: reply, type: "text/plain", "x")
                }
            }
            #expect(result.status != 0 && !result.errors.contains("CANARY") && !result.errors.contains("Basic"))
        }
    }
}
