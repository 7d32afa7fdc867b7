// The options that say where the broker is and how to log in, shared by all commands that need one.

import Broker
import Options
import Posix

/// Connection options as given, before environment, URL and defaults are put together.
struct ConnectionOptions {
    var urls: [String] = []
    /// From `WORKQ_URL`, `AMQP_URL` or `CLOUDAMQP_URL`; says nothing when a URL is given.
    var environmentURL: String?
    var apiURL: String?
    /// From `WORKQ_API_URL`.
    var environmentAPIURL: String?
    var configFile: String?
    /// From `WORKQ_CONFIG`: the file that is read when none is named.
    var environmentConfigFile: String?
    var configSection: String?
    var vhost: String?
    var username: String?
    var passwordFile: String?
    /// From `WORKQ_PASSWORD_FILE`; says nothing where there is a password beside the user.
    var environmentPasswordFile: String?
    var caCertificateFile: String?
    var certificateFile: String?
    var keyFile: String?
    var isInsecure = false
    var heartbeat: Duration?
    var connectTimeout: Duration?
    var connectionName: String?

    static let defaultURL = "amqp://localhost:5672/"
    /// Environment variables that may hold a password, or say where one is, and therefore never reach a child.
    static let secretVariables = ["WORKQ_URL", "AMQP_URL", "CLOUDAMQP_URL", "WORKQ_API_URL", "WORKQ_PASSWORD_FILE"]

    /// Environment variables that the options read.
    static let variables = secretVariables + ["WORKQ_CONFIG"]

    static var options: [Option<ConnectionOptions>] {
        [
            .values(
                "-u", "--url", of: .text("URL"), appendingTo: \.urls, default: "amqp://localhost:5672/",
                environment: ["WORKQ_URL", "AMQP_URL", "CLOUDAMQP_URL"], "the broker, amqp:// or amqps://",
                details: "The whole form is `amqp://user:password@host:port/vhost?parameters`, everything special "
                    + "percent-encoded. The parameters are `heartbeat` (seconds), `connection_timeout` (milliseconds), "
                    + "`cacertfile`, `certfile`, `keyfile`, `verify` (`verify_peer` or `verify_none`) and "
                    + "`auth_mechanism` (`plain` or `external`). May be given again for the nodes of one cluster, "
                    + "which are tried in turn; user, password and vhost are taken from the first URL that has them. "
                    + "Other users of the machine can see a command line: give a password in the environment or by "
                    + "`--password-file`. Without user and password, guest is tried, on this machine only."
            ).environment(into: \.environmentURL),
            .value(
                "--config", of: .file(), into: \.configFile,
                default: "$XDG_CONFIG_HOME/workq/config.toml, else ~/.rabbitmqadmin.conf",
                environment: ["WORKQ_CONFIG"], "a file that says where brokers are",
                details: "TOML, a section a cluster, with rabbitmqadmin's keys: `hostname`, `port` (of the management "
                    + "API), `username`, `password`, `virtual_host`, `tls`, `scheme`, `base_uri`, `path_prefix`, "
                    + "`ca_certificate_bundle_path`, `client_certificate_file_path`, "
                    + "`client_private_key_file_path`; and `url`, one broker's URL or a list of them. A file that "
                    + "holds a password must not be readable by others. The file that isn't named is only read when "
                    + "neither an option nor the environment has a URL; `WORKQ_CONFIG` names another one for that."
            ).environment(into: \.environmentConfigFile),
            .value(
                "-N", "--node", of: .section, into: \.configSection, default: "default",
                "the section of the configuration file to use",
                details: "Beats a URL from the environment; a URL on the command line beats both."),
            .value("-p", "--vhost", of: .name("NAME"), into: \.vhost, default: "/", "the virtual host"),
            .value(
                "--api-url", of: .text("URL"), into: \.apiURL, default: "the broker's host, port 15672 or 15671",
                environment: ["WORKQ_API_URL"], "the management API, http:// or https://",
                details: "What lists queues: AMQP can't. The whole form is `http://user:password@host:port/prefix`. "
                    + "Without a user it is the broker's, and so are the TLS options. `WORKQ_API_URL` isn't used "
                    + "for a broker on another host that the command line names."
            ).environment(into: \.environmentAPIURL),
            .value("--username", of: .name("NAME"), into: \.username, "the user to log in as"),
            .value(
                "--password-file", of: .file(), into: \.passwordFile, environment: ["WORKQ_PASSWORD_FILE"],
                "a file that holds the password; - asks on the terminal",
                details:
                    "The file must belong to the user or to root, and nobody else may be able to read it but a group "
                    + "that workq runs in. Files under `$CREDENTIALS_DIRECTORY` (systemd) and `/run/secrets` (Docker, "
                    + "Kubernetes) are taken as they are. One newline at its end is dropped. The file that "
                    + "`WORKQ_PASSWORD_FILE` names is for a user without a password in the URL or the section."
            ).environment(into: \.environmentPasswordFile),
            .value(
                "--cacert", of: .file(), into: \.caCertificateFile, default: "the system's certificates",
                "certificate authorities to trust, in PEM"),
            .value(
                "--cert", of: .file(), into: \.certificateFile, "the client's certificate, in PEM"),
            .value("--key", of: .file(), into: \.keyFile, "the key of the client's certificate, in PEM"),
            .flag(
                "--insecure", sets: \.isInsecure, to: true, "trust any certificate, with a warning each time"),
            .value(
                "--heartbeat", of: .duration(.zero ... .seconds(65_535)), into: \.heartbeat, default: "30s",
                "how often to prove being alive; 0 for never",
                details: "A connection without a sign of life for two intervals is given up. Whole seconds."),
            .value(
                "--connect-timeout", of: .duration(.milliseconds(1) ... .seconds(86_400)),
                into: \.connectTimeout, default: "5s", "how long connecting and logging in to a node may take"),
            .value(
                "--connection-name", of: .text("NAME"), into: \.connectionName,
                default: "workq COMMAND pid@host", "what operators see in RabbitMQ's management page"),
        ]
    }

    static let group = "Connection options"
}

extension ValueFormat where Value == String {
    /// The name of a section of the configuration file.
    fileprivate static var section: Self {
        Self("SECTION", expectation: "a section's name, not empty", completion: .section) { $0.isEmpty ? nil : $0 }
    }
}

extension ConnectionOptions {
    /// The connection parameters that options, environment, URLs and defaults make together.
    func parameters(for command: String, in context: CommandContext) throws(CommandError) -> ConnectionParameters {
        let brokers = try cluster(in: context).brokers
        let nodes = brokers.map { ConnectionParameters.Node(host: $0.host, port: $0.port, usesTLS: $0.usesTLS) }
        var parameters = ConnectionParameters(
            nodes: nodes, vhost: vhost ?? brokers.lazy.compactMap(\.vhost).first ?? "/",
            login: try login(brokers, in: context),
            connectionName: connectionName ?? "workq \(command) \(context.processName)")
        parameters.tls = try tls(brokers)
        if !parameters.tls.verifiesPeer, nodes.contains(where: \.usesTLS) {
            context.say("warning: the broker's certificate is not verified; anybody could be answering")
        }
        // Told where somebody is there to read it: inside a data centre many do it knowingly.
        if case .plain = parameters.login, context.isTerminal(context.standardError),
            let node = nodes.first(where: { !$0.usesTLS && !Self.isLoopback($0.host) })
        {
            context.say("warning: the password goes to \(node.host) in plain text; amqps:// would encrypt it")
        }
        let heartbeats = brokers.lazy.compactMap(\.heartbeatSeconds)
        parameters.heartbeatSeconds = heartbeat.map { Int(($0.milliseconds + 999) / 1_000) } ?? heartbeats.first ?? 30
        let timeouts = brokers.lazy.compactMap(\.connectionTimeoutMilliseconds)
        parameters.connectTimeout = connectTimeout ?? timeouts.first.map { .milliseconds($0) } ?? .seconds(5)
        return parameters
    }

    /// The virtual host that options and URLs name.
    func vhostName(in context: CommandContext) throws(CommandError) -> String {
        if let vhost { return vhost }
        return try cluster(in: context).brokers.lazy.compactMap(\.vhost).first ?? "/"
    }

    /// Whether the command line says which cluster is meant, so that nothing of the environment's may take its place.
    var namesCluster: Bool { !urls.isEmpty || configFile != nil || configSection != nil }

    /// The brokers that the command line names, by URL or by the section of a file; else the environment, by URL or by
    /// a file; else the usual file; else the one on this machine.
    func cluster(in context: CommandContext) throws(CommandError) -> ConfigSection {
        if urls.isEmpty, namesCluster || environmentURL == nil {
            let path = configFile ?? environmentConfigFile
            let file = if let path { try ConfigFile(path) } else { try ConfigFile.usual(in: context) }
            if let section = try file?.section(configSection) { return section }
            // Only a file that nobody has named may say nothing.
            guard path == nil, !namesCluster else {
                throw CommandError(
                    .configuration,
                    file.map { "there is no section \"\(ConfigFile.usualSection)\" in \($0.path); name one with -N" }
                        ?? "there is no configuration file; name one with --config")
            }
        }
        var brokers: [BrokerURL] = []
        for text in urls.isEmpty ? [environmentURL ?? Self.defaultURL] : urls {
            do {
                brokers.append(try BrokerURL(text))
            } catch {
                throw CommandError(.usage, "the broker's URL can't be used: \(error.reason)")
            }
        }
        return ConfigSection(brokers: brokers)
    }

    func login(
        _ brokers: [BrokerURL], in context: CommandContext
    ) throws(CommandError) -> ConnectionParameters.Login {
        if brokers.contains(where: \.usesExternalLogin) { return .external }
        let fromURL = brokers.first { $0.username?.isEmpty == false }
        let user = username ?? fromURL?.username
        guard let user, !user.isEmpty else {
            guard !brokers.contains(where: { $0.password != nil }) else {
                throw CommandError(
                    .usage, "the broker's URL has a password and no user. Name one before it, or by --username")
            }
            guard brokers.allSatisfy({ Self.isLoopback($0.host) }) else {
                throw CommandError(
                    .usage,
                    "no user is given for \(brokers.map(\.redacted).joined(separator: ", ")). "
                        + "Name one in the URL or by --username; guest is only tried on this machine")
            }
            return .plain(username: "guest", password: try password(beside: nil, in: context) ?? Secret("guest"))
        }
        let urlPassword = username == nil || username == fromURL?.username ? fromURL?.password : nil
        guard let password = try password(beside: urlPassword, in: context) else {
            throw CommandError(.usage, "no password is given for user \"\(user)\". Use --password-file or the URL")
        }
        return .plain(username: user, password: password)
    }

    /// The password in the file that the command line names; else `own`, which stands beside the user; else the one in
    /// the environment's file.
    func password(beside own: Secret?, in context: CommandContext) throws(CommandError) -> Secret? {
        guard let file = passwordFile ?? (own == nil ? environmentPasswordFile : nil) else { return own }
        return file == "-" ? try PasswordFile.ask() : try PasswordFile.read(file, in: context)
    }

    func tls(_ brokers: [BrokerURL]) throws(CommandError) -> ConnectionParameters.TLS {
        var tls = ConnectionParameters.TLS()
        tls.caCertificateFile = caCertificateFile ?? brokers.lazy.compactMap(\.caCertificateFile).first
        tls.certificateFile = certificateFile ?? brokers.lazy.compactMap(\.certificateFile).first
        tls.keyFile = keyFile ?? brokers.lazy.compactMap(\.keyFile).first
        guard tls.keyFile == nil || tls.certificateFile != nil else {
            throw CommandError(.usage, "a key is given without its certificate. Use --cert too")
        }
        tls.verifiesPeer = !isInsecure && brokers.lazy.compactMap(\.verifiesPeer).first ?? true
        return tls
    }

    /// Whether a host's name can only mean this machine.
    static func isLoopback(_ host: String) -> Bool {
        let name = host.lowercased()
        if name == "localhost" || name == "::1" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8(part) != nil
            }
    }
}
