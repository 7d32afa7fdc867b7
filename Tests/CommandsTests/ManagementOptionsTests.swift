// Where the management API is looked for, and who logs in there.

import Management
import TestSupport
import Testing

@testable import Broker
@testable import Commands

/// The management API's parameters of a command with these options.
func managementParameters(_ options: [String], environment: [String: String] = [:]) throws -> ManagementParameters {
    let captured = try CapturedContext(environment: environment)
    let words = options.map { Array($0.utf8) }
    let request = try ListQueuesCommand.definition.parse(
        words, environment: { captured.context.environment[$0] }, defaults: ListQueuesCommand.Values())
    guard case .run(let values) = request else { throw CommandError(.usage, "that asked for help") }
    return try values.connection.managementParameters(in: captured.context)
}

@Suite("Management options") struct ManagementOptionsTests {
    private static func endpoints(_ options: [String], environment: [String: String] = [:]) throws -> [String] {
        try managementParameters(options, environment: environment).endpoints.map(\.description)
    }

    private static func login(_ options: [String], environment: [String: String] = [:]) throws -> String {
        let parameters = try managementParameters(options, environment: environment)
        return "\(parameters.username):\(parameters.password.revealed)"
    }

    @Test("the API is on the brokers' hosts, with TLS where the broker has it")
    func derived() throws {
        #expect(try Self.endpoints([]) == ["http://localhost:15672"])
        let nodes = ["-u", "amqp://a:b@one:5555/v", "-u", "amqps://two"]
        #expect(try Self.endpoints(nodes) == ["http://one:15672", "https://two:15671"])
    }

    @Test("an option beats WORKQ_API_URL, which beats the derived address")
    func precedence() throws {
        let environment = ["WORKQ_API_URL": "http://localhost:1", "WORKQ_URL": "amqp://a:b@broker"]
        #expect(try Self.endpoints([], environment: environment) == ["http://localhost:1"])
        #expect(try Self.endpoints(["--api-url", "https://x/p"], environment: environment) == ["https://x:15671/p"])
    }

    @Test("WORKQ_API_URL isn't used for another host than the one that the command line names")
    func otherHost() throws {
        let environment = ["WORKQ_API_URL": "http://u:p@127.0.0.1:1"]
        #expect(try Self.endpoints(["-u", "amqp://a:b@other"], environment: environment) == ["http://other:15672"])
        #expect(try Self.login(["-u", "amqp://a:b@other"], environment: environment) == "a:b")
        #expect(try Self.endpoints(["-u", "amqp://localhost"], environment: environment) == ["http://127.0.0.1:1"])
        let same = ["WORKQ_API_URL": "http://Broker:1"]
        #expect(try Self.endpoints(["-u", "amqp://a:b@broker"], environment: same) == ["http://Broker:1"])
    }

    @Test("the login is the API URL's own, else the broker's, and --username beats both")
    func logins() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("from file", to: "password")
        let broker = ["-u", "amqp://me:pw@broker"]
        #expect(try Self.login([]) == "guest:guest")
        #expect(try Self.login(broker) == "me:pw")
        #expect(try Self.login(broker + ["--api-url", "http://api"]) == "me:pw")
        #expect(try Self.login(broker + ["--api-url", "http://you:other@api"]) == "you:other")
        #expect(try Self.login(broker + ["--api-url", "http://you@api", "--password-file", file]) == "you:from file")
        #expect(
            try Self.login(
                broker + ["--api-url", "http://you:x@api", "--username", "third", "--password-file", file])
                == "third:from file")
        // The API's own login needs none for AMQP.
        #expect(try Self.login(["-u", "amqp://broker", "--api-url", "http://you:other@api"]) == "you:other")
    }

    @Test("S2 guest is never sent to another machine's API")
    func guest() {
        for options in [
            ["--api-url", "http://api"], ["-u", "amqp://broker"],
            ["-u", "amqp://localhost", "--api-url", "http://api"],
        ] {
            let error = #expect(throws: CommandError.self) { try Self.login(options) }
            #expect(error?.status == .usage && error?.message.contains("only tried on this machine") == true)
        }
    }

    @Test("S2 a password never goes with another user's name")
    func otherUser() throws {
        for options in [
            ["-u", "amqp://me:CANARY@broker", "--username", "you", "--api-url", "http://me:CANARY@api"],
            ["--username", "you", "--api-url", "http://me:CANARY@localhost"],
        ] {
            let error = #expect(throws: CommandError.self) { try Self.login(options) }
            #expect(error?.message.contains("no password is given for user \"you\"") == true)
        }
    }

    @Test("a URL that can't be used is a usage error, and S6 without its password")
    func badURL() {
        let error = #expect(throws: CommandError.self) { try Self.login(["--api-url", "http://me:CANARY@h:x"]) }
        #expect(error?.status == .usage && error?.message.contains("the port must be a number") == true)
        #expect(error?.message.contains("CANARY") == false)
    }

    @Test("each kind of failure keeps its exit status")
    func statuses() {
        let statuses: [(ManagementError.Code, Int32)] = [
            (.unreachable, 69), (.hostNotFound, 69), (.connectionLost, 69), (.notManagementAPI, 69), (.tooLarge, 69),
            (.timedOut, 75), (.serverError, 75), (.wrongLogin, 77), (.missingRight, 77), (.notFound, 65),
            (.invalidInput, 65), (.tlsFailed, 78), (.unknownAuthority, 78), (.badCertificateFile, 78),
            (.outOfResources, 75),
        ]
        for (code, status) in statuses {
            let error = CommandError(ManagementError("do it", code, "reason"))
            #expect(error.status.rawValue == status, "\(code)")
            #expect(error.message.hasPrefix("cannot do it: reason"))
        }
        let missing = CommandError(ManagementError("do it", .noLibrary, "reason"), of: "list-queues")
        #expect(missing.status.rawValue == 69)
        #expect(missing.message == "list-queues needs libcurl (apt-get install libcurl4)")
    }
}
