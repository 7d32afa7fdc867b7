// How a scripted peer logs clients in and answers what they ask.

/// What a client said while it logged in. Zero or empty what it didn't get to say.
package struct AMQPLogin: Sendable {
    package var mechanism = ""
    /// What the mechanism sends: for PLAIN a NUL, the user name, a NUL, the password.
    package var response: [UInt8] = []
    package var locale = ""
    /// The raw field table of the client's properties, without its length.
    package var clientProperties: [UInt8] = []
    /// What the client settled on.
    package var channelMax = 0
    package var frameMax = 0
    /// Seconds; 0 for none.
    package var heartbeat = 0
    package var virtualHost = ""
}

extension PeerConnection {
    /// Answers the whole login, from the protocol header to `connection.open-ok`.
    ///
    /// `heartbeat` is in seconds; what is agreed on is in the result and in `ScriptedPeer.logins`.
    @discardableResult
    package func acceptLogin(
        heartbeat: UInt16 = 60, frameMax: UInt32 = 131_072, channelMax: UInt16 = 2_047,
        mechanisms: String = "PLAIN EXTERNAL", serverProperties: [UInt8] = AMQPTable.usualServerProperties
    ) throws -> AMQPLogin {
        var login = try beginLogin(mechanisms: mechanisms, serverProperties: serverProperties)
        try send(
            .connectionTune,
            [
                "channel-max": .number(UInt64(channelMax)), "frame-max": .number(UInt64(frameMax)),
                "heartbeat": .number(UInt64(heartbeat)),
            ])
        let tuned = try expect(.connectionTuneOK)
        login.channelMax = Int(try tuned.number("channel-max"))
        login.frameMax = Int(try tuned.number("frame-max"))
        login.heartbeat = Int(try tuned.number("heartbeat"))
        if login.frameMax > AMQPFrame.overhead { self.frameMax = login.frameMax }
        login.virtualHost = try answer(.connectionOpen).text("virtual-host")
        let accepted = login
        control.state.withLock { $0.logins[$0.logins.count - 1] = accepted }
        return login
    }

    /// Answers the login's first half: what comes back holds the client's user name and password, and what to say to
    /// them is the script's business.
    @discardableResult
    package func beginLogin(
        mechanisms: String = "PLAIN EXTERNAL", serverProperties: [UInt8] = AMQPTable.usualServerProperties
    ) throws -> AMQPLogin {
        try expectProtocolHeader()
        try send(
            .connectionStart,
            [
                "version-major": 0, "version-minor": 9, "server-properties": .bytes(serverProperties),
                "mechanisms": .text(mechanisms), "locales": "en_US",
            ])
        let started = try expect(.connectionStartOK)
        var login = AMQPLogin()
        login.mechanism = try started.text("mechanism")
        login.response = try started.bytes("response")
        login.locale = try started.text("locale")
        login.clientProperties = try started.bytes("client-properties")
        let begun = login
        control.state.withLock { $0.logins.append(begun) }
        return login
    }

    package func expectProtocolHeader() throws {
        let header = try receive(raw: AMQPFrame.protocolHeader.count)
        guard header == AMQPFrame.protocolHeader else {
            throw Failure("expected AMQP's protocol header, got \(header)")
        }
    }

    /// The next method, which must be of this kind, with the answer that a broker in good health gives. `arguments`
    /// replace the answer's usual ones.
    @discardableResult
    package func answer(_ kind: AMQPMethodKind, _ arguments: [String: AMQPValue] = [:]) throws -> AMQPMethod {
        let method = try expect(kind)
        guard try reply(to: method, arguments) else { throw Failure("\(kind) has no answer") }
        return method
    }

    /// Answers requests as a broker in good health until a method of this kind comes, which is returned unanswered.
    ///
    /// Anything that isn't a request ends in a failure. The whole wait is bounded by `timeout`.
    @discardableResult
    package func serve(until kind: AMQPMethodKind) throws -> AMQPMethod {
        let deadline = ContinuousClock.now + timeout
        while let frame = try nextFrame(until: deadline, awaiting: kind.name) {
            if frame == .heartbeat { continue }
            guard case .method(_, let method) = frame else { throw Failure("expected \(kind), got \(frame)") }
            if method.kind == kind { return method }
            guard try reply(to: method) else { throw Failure("expected \(kind), got \(frame)") }
        }
        throw Failure("the client closed the connection before \(kind)")
    }

    /// Answers requests as a broker in good health until the client has closed the connection, and returns all frames
    /// that were no request: acks, contents, heartbeats. The whole wait is bounded by `timeout`.
    @discardableResult
    package func serveUntilClosed() throws -> [AMQPFrame] {
        let deadline = ContinuousClock.now + timeout
        var others: [AMQPFrame] = []
        while let frame = try nextFrame(until: deadline, awaiting: "the connection's end") {
            if case .method(_, let method) = frame, try reply(to: method) { continue }
            others.append(frame)
        }
        return others
    }

    /// Sends the usual answer to a method that came last; false when it needs none.
    private func reply(to method: AMQPMethod, _ arguments: [String: AMQPValue] = [:]) throws -> Bool {
        guard let kind = method.kind == .basicGet && arguments.isEmpty ? .basicGetEmpty : method.kind.reply else {
            return false
        }
        var values: [String: AMQPValue] = [:]
        switch method.kind {
        case .queueDeclare: values["queue"] = .bytes(try method.bytes("queue"))
        case .basicConsume:
            let wished = try method.text("consumer-tag")
            if !wished.isEmpty { consumerTag = wished }
            values["consumer-tag"] = .text(consumerTag)
        case .basicCancel: values["consumer-tag"] = .bytes(try method.bytes("consumer-tag"))
        default: break
        }
        try send(kind, values.merging(arguments) { $1 }, channel: lastChannel)
        return true
    }
}
