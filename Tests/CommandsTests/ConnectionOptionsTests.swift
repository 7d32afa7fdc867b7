// Options, environment, URLs and defaults: the first of them that says something is right.

import Testing

@testable import Broker
@testable import Commands

/// The connection parameters of a `publish` with these options.
func connectionParameters(_ options: [String], in captured: CapturedContext) throws -> ConnectionParameters {
    let context = captured.context
    let words = (options + ["a-queue", "a task"]).map { Array($0.utf8) }
    let request = try PublishCommand.definition.parse(
        words, environment: { context.environment[$0] }, defaults: PublishCommand.Values())
    guard case .run(let values) = request else { throw CommandError(.usage, "that asked for help") }
    return try values.connection.parameters(for: "publish", in: context)
}

func connectionParameters(
    _ options: [String], environment: [String: String] = [:]
) throws -> ConnectionParameters {
    try connectionParameters(options, in: try CapturedContext(environment: environment))
}

@Suite("Connection options") struct ConnectionOptionsTests {
    private static func hosts(_ parameters: ConnectionParameters) -> [String] {
        parameters.nodes.map(\.description)
    }

    @Test("without anything the broker is on this machine, and everything has its default")
    func defaults() throws {
        let parameters = try connectionParameters([])
        #expect(Self.hosts(parameters) == ["amqp://localhost:5672"])
        #expect(parameters.vhost == "/")
        #expect(parameters.heartbeatSeconds == 30)
        #expect(parameters.connectTimeout == .seconds(5))
        #expect(parameters.connectionName == "workq publish 17@here")
        #expect(parameters.tls.verifiesPeer)
        #expect(parameters.tls.caCertificateFile == nil)
    }

    @Test("an option beats WORKQ_URL, WORKQ_URL beats AMQP_URL, and an empty variable is none")
    func urlPrecedence() throws {
        let both = ["WORKQ_URL": "amqp://a:b@first", "AMQP_URL": "amqp://a:b@second"]
        #expect(
            Self.hosts(try connectionParameters(["-u", "amqp://a:b@given"], environment: both)) == ["amqp://given:5672"]
        )
        #expect(Self.hosts(try connectionParameters([], environment: both)) == ["amqp://first:5672"])
        let second = both.merging(["WORKQ_URL": ""]) { $1 }
        #expect(Self.hosts(try connectionParameters([], environment: second)) == ["amqp://second:5672"])
        #expect(
            Self.hosts(try connectionParameters([], environment: ["WORKQ_URL": "", "AMQP_URL": ""]))
                == ["amqp://localhost:5672"])
    }

    @Test("CLOUDAMQP_URL comes after AMQP_URL")
    func hostedURL() throws {
        let hosted = ["CLOUDAMQP_URL": "amqps://a:b@hosted/v"]
        let parameters = try connectionParameters([], environment: hosted)
        #expect(Self.hosts(parameters) == ["amqps://hosted:5671"] && parameters.vhost == "v")
        let both = hosted.merging(["AMQP_URL": "amqp://a:b@second"]) { $1 }
        #expect(Self.hosts(try connectionParameters([], environment: both)) == ["amqp://second:5672"])
    }

    @Test("an option beats the URL, the URL beats the default, for vhost, heartbeat and timeout")
    func urlAndOptions() throws {
        let url = "amqp://h/%2Fu?heartbeat=7&connection_timeout=250"
        let login = ["--url", "amqp://a:b@localhost/unused"]
        let fromURL = try connectionParameters(["-u", url.replacing("h/", with: "a:b@h/")])
        #expect(fromURL.vhost == "/u")
        #expect(fromURL.heartbeatSeconds == 7)
        #expect(fromURL.connectTimeout == .milliseconds(250))
        let given = try connectionParameters(
            [
                "-u", "amqp://a:b@h/v?heartbeat=7&connection_timeout=250", "-p", "w", "--heartbeat", "1500ms",
                "--connect-timeout=1m",
            ])
        #expect(given.vhost == "w")
        #expect(given.heartbeatSeconds == 2)
        #expect(given.connectTimeout == .seconds(60))
        #expect(try connectionParameters(login + ["--heartbeat=0"]).heartbeatSeconds == 0)
        #expect(try connectionParameters(login + ["--connection-name", "mine"]).connectionName == "mine")
    }

    @Test("several URLs are nodes in turn, and the first that has a vhost or a number is right")
    func severalURLs() throws {
        let parameters = try connectionParameters([
            "-u", "amqp://one", "-u", "amqps://a:b@two/v?heartbeat=5", "-u",
            "amqp://c:d@three/w?heartbeat=6&connection_timeout=9",
        ])
        #expect(Self.hosts(parameters) == ["amqp://one:5672", "amqps://two:5671", "amqp://three:5672"])
        #expect(parameters.vhost == "v")
        #expect(parameters.heartbeatSeconds == 5)
        #expect(parameters.connectTimeout == .milliseconds(9))
        guard case .plain(let username, let password) = parameters.login else { return #expect(Bool(false)) }
        #expect(username == "a")
        #expect(password == Secret("b"))
    }

    @Test("an option beats a certificate file in the URL")
    func certificates() throws {
        let url = "amqps://a:b@h?cacertfile=ca.pem&certfile=c.pem&keyfile=k.pem"
        let fromURL = try connectionParameters(["-u", url]).tls
        #expect([fromURL.caCertificateFile, fromURL.certificateFile, fromURL.keyFile] == ["ca.pem", "c.pem", "k.pem"])
        let given = try connectionParameters(["-u", url, "--cacert=1", "--cert", "2", "--key=3"]).tls
        #expect([given.caCertificateFile, given.certificateFile, given.keyFile] == ["1", "2", "3"])
        let error = #expect(throws: CommandError.self) { try connectionParameters(["-u", "amqps://a:b@h", "--key=3"]) }
        #expect(error?.status == .usage && error?.message.contains("--cert") == true)
    }

    @Test("S9 --insecure and verify_none turn verification off, loudly, and only where there is TLS")
    func insecure() throws {
        for options in [
            ["-u", "amqps://a:b@h", "--insecure"], ["-u", "amqps://a:b@h?verify=verify_none"],
            ["-u", "amqps://a:b@h?verify=verify_peer", "--insecure"],
        ] {
            let captured = try CapturedContext()
            #expect(try !connectionParameters(options, in: captured).tls.verifiesPeer)
            #expect(
                captured.errors
                    == "workq: warning: the broker's certificate is not verified; anybody could be answering\n")
        }
        for options in [["-u", "amqps://a:b@h"], ["-u", "amqps://a:b@h?verify=verify_peer"]] {
            let captured = try CapturedContext()
            #expect(try connectionParameters(options, in: captured).tls.verifiesPeer)
            #expect(captured.errors == "")
        }
        let plain = try CapturedContext()
        _ = try connectionParameters(["-u", "amqp://a:b@h", "--insecure"], in: plain)
        #expect(plain.errors == "")
    }

    @Test("a URL that can't be used is a usage error with the reason, and S6 without its password")
    func badURL() throws {
        let error = #expect(throws: CommandError.self) { try connectionParameters(["-u", "amqp://me:CANARY@h:x"]) }
        #expect(error?.status == .usage)
        #expect(error?.message.contains("the port must be a number") == true)
        #expect(error?.message.contains("CANARY") == false)
    }
}
