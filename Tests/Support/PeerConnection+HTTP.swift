// Lets a script stand in for a web server, and send what none would.

/// What a client asked for.
package struct HTTPRequest {
    /// The path with its query, as it stood in the request.
    package var target: String
    /// Names in lower case.
    package var headers: [String: String]
}

extension PeerConnection {
    /// The next request, up to the empty line; it must be a GET.
    package func expectRequest() throws -> HTTPRequest {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) { head += try receive(raw: 1) }
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n").map(String.init)
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3, words[0] == "GET" else { throw Failure("expected a GET, got \(lines)") }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].drop { $0 == " " }.description
        }
        return HTTPRequest(target: String(words[1]), headers: headers)
    }

    /// Sends text as it is.
    package func send(text: String) throws { try send(raw: Array(text.utf8)) }

    /// Answers with a whole body, and leaves the connection open.
    package func answer(
        status: String = "200 OK", type: String = "application/json", headers: [String] = [], _ body: String
    ) throws {
        let lines = ["HTTP/1.1 \(status)", "content-type: \(type)", "content-length: \(body.utf8.count)"] + headers
        try send(text: lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }
}
