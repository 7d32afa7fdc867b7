// Who logs in with which password: guest never leaves this machine, and a password goes only with its own user.

import TestSupport
import Testing

@testable import Broker
@testable import Commands

@Suite("Logins") struct LoginTests {
    /// `user:password`, or `external`.
    private static func login(_ options: [String], environment: [String: String] = [:]) throws -> String {
        switch try connectionParameters(options, environment: environment).login {
        case .plain(let username, let password): "\(username):\(password.revealed)"
        case .external: "external"
        }
    }

    private static func refusal(_ options: [String]) -> CommandError? {
        #expect(throws: CommandError.self) { try login(options) }
    }

    @Test(
        "S2 guest is tried on this machine",
        arguments: [
            "amqp://localhost", "amqp://LocalHost:1/v", "amqp://127.0.0.1", "amqp://127.255.0.9", "amqps://[::1]",
        ])
    func guestHere(url: String) throws {
        #expect(try Self.login(["-u", url]) == "guest:guest")
    }

    @Test(
        "S2 guest is never tried anywhere else",
        arguments: [
            "amqp://broker", "amqp://10.0.0.1", "amqp://localhost.example.net", "amqp://127.0.0.1.example.net",
            "amqp://127.0.0", "amqp://127.0.0.256", "amqp://127.0.0.x", "amqp://128.0.0.1", "amqp://127",
            "amqp://0.0.0.0",
            "amqp://[::2]", "amqp://[fe80::1]", "amqp://127.+0.0.1", "amqp://127.0.0.%2B1", "amqp://127..0.1",
        ])
    func guestElsewhere(url: String) {
        let error = Self.refusal(["-u", url])
        #expect(error?.status == .usage)
        #expect(error?.message.contains("guest is only tried on this machine") == true)
    }

    @Test("P14 a password without a user is a slip, and never guest's", arguments: ["localhost", "broker", "[::1]"])
    func passwordAlone(host: String) throws {
        let error = Self.refusal(["-u", "amqp://:CANARY@\(host)"])
        #expect(error?.status == .usage && error?.message.contains("a password and no user") == true)
        #expect(error?.message.contains("CANARY") == false)
        #expect(try Self.login(["-u", "amqp://:pw@\(host)", "-u", "amqp://me:own@\(host)"]) == "me:own")
    }

    @Test("S2 one node elsewhere is enough to refuse guest, and the message shows no password")
    func guestMixed() {
        let error = Self.refusal(["-u", "amqp://localhost", "-u", "amqp://:CANARY@broker"])
        #expect(error?.status == .usage)
        #expect(error?.message.contains("broker") == true)
        #expect(error?.message.contains("CANARY") == false)
    }

    @Test("user and password come from the first URL that names a user")
    func fromURL() throws {
        #expect(try Self.login(["-u", "amqp://me:pw@broker"]) == "me:pw")
        #expect(
            try Self.login(["-u", "amqp://broker", "-u", "amqp://me:pw@other", "-u", "amqp://you:x@third"]) == "me:pw")
        #expect(try Self.login([], environment: ["AMQP_URL": "amqp://me:pw%40@broker"]) == "me:pw@")
        #expect(try Self.login(["-u", "amqp://me:@broker"]) == "me:")
    }

    @Test("a password file beats the URL's password, --username beats the URL's user")
    func options() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("from file\n", to: "password")
        #expect(try Self.login(["-u", "amqp://me:pw@broker", "--password-file", file]) == "me:from file")
        #expect(
            try Self.login(["-u", "amqp://me:pw@broker", "--username=you", "--password-file", file]) == "you:from file")
        #expect(try Self.login(["-u", "amqp://broker", "--username=you", "--password-file", file]) == "you:from file")
        #expect(try Self.login(["--username=you", "--password-file", file]) == "you:from file")
        #expect(try Self.login(["-u", "amqp://localhost", "--password-file", file]) == "guest:from file")
        #expect(try Self.login(["-u", "amqp://me:pw@broker", "--username=me"]) == "me:pw")
    }

    @Test("S2 another user's password is never sent: a user without a password is an error")
    func userWithoutPassword() {
        for options in [
            ["-u", "amqp://me@broker"], ["-u", "amqp://me@localhost"], ["--username=you"],
            ["-u", "amqp://me:CANARY@broker", "--username=you"], ["-u", "amqp://localhost", "--username=you"],
        ] {
            let error = Self.refusal(options)
            #expect(error?.status == .usage)
            #expect(error?.message.contains("no password is given for user") == true)
            #expect(error?.message.contains("CANARY") == false)
        }
    }

    @Test("a certificate as login needs neither user nor password")
    func external() throws {
        #expect(try Self.login(["-u", "amqps://broker?auth_mechanism=external"]) == "external")
    }

    @Test("S4 the variables that may hold a password are those that the URL option reads, and more")
    func secretVariables() {
        let read = Set(ConnectionOptions.options.flatMap(\.description.environment))
        #expect(read == Set(ConnectionOptions.variables))
        // A file's path gives nothing away, and a task's command may call workq.
        #expect(read.subtracting(ConnectionOptions.secretVariables) == ["WORKQ_CONFIG"])
    }

    @Test("WORKQ_PASSWORD_FILE is for a user without a password, and --password-file beats both")
    func environmentPasswordFile() throws {
        let folder = try TemporaryFolder()
        let file = ["WORKQ_PASSWORD_FILE": try folder.write("kept\n", to: "kept")]
        let given = try folder.write("given\n", to: "given")
        #expect(try Self.login(["-u", "amqp://me@broker"], environment: file) == "me:kept")
        #expect(try Self.login(["-u", "amqp://me:own@broker"], environment: file) == "me:own")
        #expect(try Self.login(["-u", "amqp://me:own@broker", "--username", "you"], environment: file) == "you:kept")
        #expect(
            try Self.login(["-u", "amqp://me:own@broker", "--password-file", given], environment: file) == "me:given")
        #expect(try Self.login(["-u", "amqp://me:own@broker"], environment: ["WORKQ_PASSWORD_FILE": ""]) == "me:own")
        let error = #expect(throws: CommandError.self) {
            try Self.login(["-u", "amqp://me@broker"], environment: ["WORKQ_PASSWORD_FILE": "/nonexistent"])
        }
        #expect(error?.status == .noInput)
    }

    @Test(
        "S11 a password in plain text to another host is told once, on a terminal, and nowhere else",
        arguments: [
            ("amqp://a:b@broker.example.net", true, true), ("amqp://a:b@10.1.2.3", true, true),
            ("amqp://a:b@broker.example.net", false, false), ("amqps://a:b@broker.example.net", true, false),
            ("amqp://a:b@localhost", true, false), ("amqp://a:b@127.9.9.9", true, false),
            ("amqp://broker.example.net?auth_mechanism=external", true, false),
        ])
    func plainText(url: String, isTerminal: Bool, isTold: Bool) throws {
        let captured = try CapturedContext()
        var context = captured.context
        context.isTerminal = { _ in isTerminal }
        var options = ConnectionOptions()
        options.urls = [url, url]
        _ = try options.parameters(for: "publish", in: context)
        let lines = captured.errors.split(separator: "\n").filter { $0.contains("plain text") }
        #expect(lines.count == (isTold ? 1 : 0), "\(captured.errors)")
        #expect(!captured.errors.contains(":b@"))
    }
}
