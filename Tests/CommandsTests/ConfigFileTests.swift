// The configuration file: whose keys are read, which file it is, and what makes it refused.

import Foundation
import TestSupport
import Testing

@testable import Broker
@testable import Commands

@Suite("Configuration files") struct ConfigFileTests {
    private static func parameters(
        _ options: [String], environment: [String: String] = [:]
    ) throws -> ConnectionParameters {
        try connectionParameters(options, environment: environment)
    }

    private static func login(_ parameters: ConnectionParameters) -> String {
        if case .plain(let user, let password) = parameters.login { "\(user):\(password.revealed)" } else { "external" }
    }

    private static let example = """
        [default]
        url = "amqp://me:secret@broker/v"

        [admin]
        hostname = "rabbit.example.net"
        port = 443
        username = "admin"
        password = "p@ss/word"
        virtual_host = "jobs"
        tls = true
        path_prefix = "/mgmt/api"
        table_style = "modern"
        ca_certificate_bundle_path = "ca.pem"

        [nodes]
        url = ["amqp://one", "amqp://two"]
        username = "u"
        password = "p"
        base_uri = "https://proxy/rabbit"
        """

    private func file(_ text: String = example, mode: Int = 0o600) throws -> (path: String, folder: TemporaryFolder) {
        let folder = try TemporaryFolder()
        return (try folder.write(text, to: "config.toml", mode: mode), folder)
    }

    @Test("a section's URL, or rabbitmqadmin's keys, say where the broker is and who logs in")
    func sections() throws {
        let (path, folder) = try file()
        defer { withExtendedLifetime(folder) {} }
        let usual = try Self.parameters(["--config", path])
        #expect(usual.nodes.map(\.description) == ["amqp://broker:5672"] && usual.vhost == "v")
        #expect(Self.login(usual) == "me:secret")
        let admin = try Self.parameters(["--config", path, "-N", "admin"])
        #expect(admin.nodes.map(\.description) == ["amqps://rabbit.example.net:5671"] && admin.vhost == "jobs")
        #expect(Self.login(admin) == "admin:p@ss/word" && admin.tls.caCertificateFile == "ca.pem")
        let nodes = try Self.parameters(["--config", path, "-N", "nodes", "-p", "other"])
        #expect(nodes.nodes.map(\.host) == ["one", "two"] && nodes.vhost == "other" && Self.login(nodes) == "u:p")
    }

    @Test("the section says where the management API is, and an option beats it")
    func api() throws {
        let (path, folder) = try file()
        defer { withExtendedLifetime(folder) {} }
        func endpoints(_ options: String..., environment: [String: String] = [:]) throws -> [String] {
            try managementParameters(["--config", path] + options, environment: environment)
                .endpoints.map(\.description)
        }
        #expect(try endpoints() == ["http://broker:15672"])
        #expect(try endpoints("-N", "admin") == ["https://rabbit.example.net:443/mgmt"])
        #expect(try endpoints("-N", "nodes") == ["https://proxy:15671/rabbit"])
        #expect(try endpoints("-N", "nodes", "--api-url", "http://x") == ["http://x:15672"])
        // One from the environment belongs to another cluster.
        let environment = ["WORKQ_API_URL": "http://elsewhere", "WORKQ_URL": "amqp://elsewhere"]
        #expect(try endpoints(environment: environment) == ["http://broker:15672"])
    }

    @Test("a URL on the command line beats the file, the file beats the environment when it is named")
    func precedence() throws {
        let (path, folder) = try file()
        defer { withExtendedLifetime(folder) {} }
        let environment = ["WORKQ_URL": "amqp://a:b@environment"]
        func hosts(_ options: String...) throws -> [String] {
            try Self.parameters(options, environment: environment).nodes.map(\.host)
        }
        #expect(try hosts("--config", path) == ["broker"])
        #expect(try hosts("--config", path, "--url", "amqp://a:b@given") == ["given"])
        #expect(try hosts() == ["environment"])
    }

    @Test("without a URL the usual files are looked for: workq's own, then rabbitmqadmin's")
    func usualFiles() throws {
        let home = try TemporaryFolder()
        let environment = ["HOME": home.path]
        func host(_ options: String..., environment: [String: String]) throws -> String? {
            try Self.parameters(options, environment: environment).nodes.first?.host
        }
        #expect(try host(environment: environment) == "localhost")
        _ = try home.write(
            "[default]\nhostname = \"theirs\"\nusername = \"u\"\npassword = \"p\"\nnew_key = 1",
            to: ".rabbitmqadmin.conf",
            mode: 0o600)
        #expect(try host(environment: environment) == "theirs")
        _ = try home.write("[theirs]\nhostname = ini\n", to: ".rabbitmqadmin.conf", mode: 0o644)
        // rabbitmqadmin 1 keeps INI there, and whoever wrote that doesn't mean the broker on this machine.
        let refusal = #expect(throws: CommandError.self) { try host(environment: environment) }
        #expect(refusal?.status == .configuration && refusal?.message.contains("no TOML at line 2: rabbit") == true)
        _ = try home.write("[default]\nhostname = ini\n", to: ".rabbitmqadmin.conf", mode: 0o644)
        #expect(throws: CommandError.self) { try host(environment: environment) }
        #expect(try host("--url", "amqp://a:b@given", environment: environment) == "given")
        _ = try home.write("[default]\nhostname = \"localhost\"", to: ".rabbitmqadmin.conf")
        try FileManager.default.createDirectory(
            atPath: home.path(".config/workq"), withIntermediateDirectories: true)
        _ = try home.write(
            "[default]\nurl = \"amqp://u:p@ours\"\n[x]\nurl = \"amqp://u:p@x\"", to: ".config/workq/config.toml")
        #expect(try host(environment: environment) == "ours")
        #expect(try host("-N", "x", environment: environment) == "x")
        #expect(try host(environment: environment.merging(["XDG_CONFIG_HOME": "/nonexistent"]) { $1 }) == "localhost")
        #expect(try host(environment: environment.merging(["AMQP_URL": "amqp://u:p@e"]) { $1 }) == "e")
    }

    @Test("WORKQ_CONFIG stands in for the usual file, and for no more than that")
    func environmentFile() throws {
        let (path, folder) = try file("[default]\nurl = \"amqp://u:p@kept\"\n[x]\nurl = \"amqp://u:p@x\"")
        defer { withExtendedLifetime(folder) {} }
        let environment = ["WORKQ_CONFIG": path]
        func host(_ options: [String], _ more: [String: String] = [:]) throws -> String? {
            try Self.parameters(options, environment: environment.merging(more) { $1 }).nodes.first?.host
        }
        #expect(try host([]) == "kept" && host(["-N", "x"]) == "x")
        #expect(try host([], ["WORKQ_URL": "amqp://u:p@e"]) == "e")
        #expect(try host(["-N", "x"], ["WORKQ_URL": "amqp://u:p@e"]) == "x")
        #expect(try host(["-u", "amqp://u:p@given"]) == "given")
        let (other, otherFolder) = try file("[default]\nurl = \"amqp://u:p@other\"")
        defer { withExtendedLifetime(otherFolder) {} }
        #expect(try host(["--config", other]) == "other")
        // To fall back to this machine would be worse than to go nowhere.
        let (empty, emptyFolder) = try file("[x]\ntls = true")
        defer { withExtendedLifetime(emptyFolder) {} }
        for path in [empty, "/nonexistent"] {
            let error = #expect(throws: CommandError.self) { try host([], ["WORKQ_CONFIG": path]) }
            #expect(error?.status == .configuration && error?.message.contains(path) == true)
        }
    }

    @Test(
        "S5 a file that holds a password is refused when others can read or change it",
        arguments: [0o644, 0o640, 0o604, 0o620, 0o602])
    func others(mode: Int) throws {
        for text in [
            "[a]\npassword = \"CANARY\"", "[a]\nurl = \"amqp://me:CANARY@h\"", "[a]\nbase_uri = \"http://me:CANARY@h\"",
            "[a]\nurl = [\"amqp://h\", \"amqp://me:CANARY@h\"]",
        ] {
            let (path, folder) = try file(text + "\n[default]\nurl = \"amqp://h\"", mode: mode)
            defer { withExtendedLifetime(folder) {} }
            let error = #expect(throws: CommandError.self) { try Self.parameters(["--config", path]) }
            #expect(error?.status == .configuration && error?.message.contains("chmod 600") == true)
            #expect(error?.message.contains("CANARY") == false)
        }
        let (path, folder) = try file("[default]\nurl = \"amqp://localhost\"", mode: mode)
        defer { withExtendedLifetime(folder) {} }
        #expect(try Self.parameters(["--config", path]).nodes.map(\.host) == ["localhost"])
    }

    @Test(
        "what can't be used is 78, says where, and S6 quotes nothing that may be secret",
        arguments: [
            ("[default]\npassword = CANARY", "line 2"), ("[default]\nhost = \"h\"", "unknown key \"host\""),
            ("[default]\nurl = 5", "url in the section \"default\""),
            ("[default]\nurl = [\"amqp://h\", 1]", "list of texts"),
            ("[default]\nurl = \"amqp://u:CANARY@h:x\"", "the port must be"), ("[default]\nport = 70000", "65535"),
            ("[default]\ntls = \"yes\"", "true or false"), ("[other]\ntls = true", "no section \"default\""),
            ("[default]\nbase_uri = \"amqp://u:CANARY@h\"", "http://"), ("[default]\nusername = \"\"", "not empty"),
            ("tls = true\n[= CANARY]", "no TOML at line 2"), ("[{default}]", "no TOML at line 1"),
        ])
    func invalid(text: String, reason: String) throws {
        let (path, folder) = try file(text)
        defer { withExtendedLifetime(folder) {} }
        let error = #expect(throws: CommandError.self) { try managementParameters(["--config", path]) }
        #expect(
            error?.status == .configuration && error?.message.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.message.contains("CANARY") == false)
    }

    @Test(
        "Q12 a key that nothing reads is 78 with its line, wherever it stands, and its password counts for the mode",
        arguments: [
            ("url = \"amqp://h\"", 1, "url"), ("# x\n\nurl = \"amqp://u:CANARY@h\"\n[default]\ntls = true", 3, "url"),
            ("[default]\ntls = true\n[other]\n\nhots = \"x\"", 5, "hots"), ("[default.more]\nurl = \"x\"", 1, "more"),
            ("[[default]]\nurl = \"x\"", 1, "default"), ("verbose = true\n[default]\ntls = true", 1, "verbose"),
        ])
    func strayKeys(text: String, line: Int, key: String) throws {
        let (path, folder) = try file(text)
        defer { withExtendedLifetime(folder) {} }
        let error = #expect(throws: CommandError.self) { try Self.parameters(["--config", path]) }
        #expect(error?.status == .configuration && error?.message.contains("line \(line) ") == true)
        #expect(error?.message.contains("\"\(key)\"") == true && error?.message.contains("CANARY") == false)
        guard text.contains("CANARY") else { return }
        let (open, openFolder) = try file(text, mode: 0o644)
        defer { withExtendedLifetime(openFolder) {} }
        let exposed = #expect(throws: CommandError.self) { try Self.parameters(["--config", open]) }
        #expect(exposed?.message.contains("chmod 600") == true)
    }

    @Test("Q9 a pipe is no configuration file, and nobody waits for its writer", .timeLimit(.minutes(1)))
    func pipe() throws {
        let folder = try TemporaryFolder()
        try #require(mkfifo(folder.path("pipe"), 0o600) == 0)
        let error = #expect(throws: CommandError.self) { try Self.parameters(["--config", folder.path("pipe")]) }
        #expect(error?.status == .configuration && error?.message.contains("no regular file") == true)
    }

    @Test("a section or a file that isn't there is 78, and the sections that are there are named")
    func missing() throws {
        let (path, folder) = try file()
        defer { withExtendedLifetime(folder) {} }
        let section = #expect(throws: CommandError.self) { try Self.parameters(["--config", path, "-N", "prod"]) }
        #expect(section?.status == .configuration && section?.message.contains("admin, default, nodes") == true)
        let none = #expect(throws: CommandError.self) {
            try Self.parameters(["-N", "prod"], environment: ["HOME": "/nonexistent"])
        }
        #expect(none?.status == .configuration && none?.message.contains("--config") == true)
        let unreadable = #expect(throws: CommandError.self) { try Self.parameters(["--config", "/nonexistent"]) }
        #expect(unreadable?.status == .configuration)
        let folderPath = #expect(throws: CommandError.self) { try Self.parameters(["--config", "/"]) }
        #expect(folderPath?.status == .configuration)
    }
}
