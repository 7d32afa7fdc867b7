// The configuration file: TOML, a section a cluster, with rabbitmqadmin's keys, so that its file serves too.

import Broker
import Management
import Options
import Posix

/// What a section says of a cluster.
struct ConfigSection: Equatable {
    /// One at least.
    var brokers: [BrokerURL]
    /// nil when it is where the brokers are, on the usual port.
    var api: ManagementURL?
}

/// A configuration file.
struct ConfigFile {
    let path: String
    /// Whether every key must be one that workq knows: rabbitmqadmin may come to know more in its own file.
    let isStrict: Bool
    private let document: ConfigDocument

    private static let maximumSize = 1 << 20
    static let usualSection = "default"
    /// What rabbitmqadmin reads and workq has no use for.
    private static let foreignKeys = ["table_style", "quiet", "verbose", "non_interactive", "timeout"]
    private static let keys = [
        "url", "hostname", "port", "username", "password", "virtual_host", "vhost", "tls", "scheme", "base_uri",
        "path_prefix", "ca_certificate_bundle_path", "client_certificate_file_path", "client_private_key_file_path",
    ]

    /// Reads a file. One that holds a password is refused when others than its owner may read or change it.
    init(_ path: String, isStrict: Bool = true) throws(CommandError) {
        self.path = path
        self.isStrict = isStrict
        let (bytes, mode) = try Self.read(path)
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw CommandError(.configuration, "the configuration file \(path) is not text")
        }
        do {
            document = try ConfigDocument(toml: text)
        } catch {
            // To go to another broker than the one that is meant would be worse than to go nowhere.
            throw Self.isNoTOML(path, error.line, isStrict)
        }
        guard mode & 0o066 == 0 || !holdsPassword else {
            throw CommandError(
                .configuration,
                "the configuration file \(path) holds a password and others can read it. Run chmod 600 on it")
        }
        try checkKeys()
    }

    private static func isNoTOML(_ path: String, _ line: Int, _ isStrict: Bool) -> CommandError {
        CommandError(
            .configuration,
            "the configuration file \(path) is no TOML at line \(line)"
                + (isStrict
                    ? ""
                    : ": rabbitmqadmin 1 keeps INI there, in which texts have no quotes. Quote them, or say "
                        + "where the broker is with --url or WORKQ_URL"))
    }

    /// A key that nothing reads is refused: it is there because somebody relies on it.
    private func checkKeys() throws(CommandError) {
        if let (key, entry) = Self.firstLine(of: document.strays.filter { isStrict || Self.keys.contains($0.key) }) {
            throw CommandError(
                .configuration,
                "line \(entry.line) of the configuration file \(path) sets \"\(key)\" above any section, where nothing "
                    + "reads it. Put [\(Self.usualSection)] above it")
        }
        guard isStrict else { return }
        for name in document.sections.keys.sorted() {
            let unknown = (document.sections[name] ?? [:]).filter { key, _ in
                !Self.keys.contains(key) && !Self.foreignKeys.contains(key)
            }
            guard let (key, entry) = Self.firstLine(of: unknown) else { continue }
            let hint =
                Suggestion.nearest(to: key, among: Self.keys).map { "did you mean \($0)?" }
                ?? "there are \(Self.keys.joined(separator: ", "))"
            throw CommandError(
                .configuration,
                "line \(entry.line) of the configuration file \(path), in the section \"\(name)\", has an unknown key "
                    + "\"\(key)\"; \(hint)")
        }
    }

    private static func firstLine(
        of entries: [String: ConfigDocument.Entry]
    ) -> (key: String, entry: ConfigDocument.Entry)? {
        entries.min { $0.value.line < $1.value.line }.map { ($0.key, $0.value) }
    }

    /// The file that is read when none is named: workq's own, else rabbitmqadmin's, nil when there is neither.
    static func usual(in context: CommandContext) throws(CommandError) -> ConfigFile? {
        let home = context.environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
        let configured = context.environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        if let folder = configured ?? home.map({ "\($0)/.config" }) {
            let path = "\(folder)/workq/config.toml"
            if access(path, F_OK) == 0 { return try ConfigFile(path) }
        }
        guard let path = home.map({ "\($0)/.rabbitmqadmin.conf" }), access(path, F_OK) == 0 else { return nil }
        return try ConfigFile(path, isStrict: false)
    }

    private static func read(_ path: String) throws(CommandError) -> ([UInt8], mode_t) {
        let what = "the configuration file \(path)"
        do throws(SystemError) {
            // A pipe without a writer must not keep workq waiting.
            let file = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK)
            // The open file is asked, not its name: the name may mean another file by now.
            var status = stat()
            guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw SystemError(EINVAL)
            }
            let bytes = try Transfer.read(from: file.number, limit: maximumSize)
            guard bytes.count <= maximumSize else { throw SystemError(EFBIG) }
            return (bytes, status.st_mode)
        } catch {
            let reason =
                switch error.number {
                case EINVAL, EISDIR: "it is no regular file"
                case EFBIG: "it is longer than a megabyte"
                default: error.text
                }
            throw CommandError(.configuration, "cannot read \(what): \(reason)")
        }
    }

    private var holdsPassword: Bool {
        ([document.strays] + document.sections.values).contains { section in
            section["password"] != nil
                || ["url", "base_uri"].contains { key in
                    let texts = section[key]?.value.texts ?? []
                    return texts.contains { Tool.passwordRange(in: Array(($0 ?? "").utf8)) != nil }
                }
        }
    }

    // MARK: - Sections

    var sectionNames: [String] { document.sections.keys.sorted() }

    /// The section of that name; the usual one when none is named, nil when there isn't even that.
    func section(_ name: String?) throws(CommandError) -> ConfigSection? {
        guard let section = document.sections[name ?? Self.usualSection] else {
            guard let name else { return nil }
            let names = document.sections.keys.sorted()
            let hint = names.isEmpty ? "it has none" : "there are \(names.joined(separator: ", "))"
            throw CommandError(.configuration, "there is no section \"\(name)\" in \(path); \(hint)")
        }
        return try SectionReader(section, "the section \"\(name ?? Self.usualSection)\" of \(path)").section()
    }
}

/// Turns a section's keys into addresses and logins.
private struct SectionReader {
    private let table: [String: ConfigDocument.Entry]
    /// The section, as errors name it.
    private let place: String

    init(_ table: [String: ConfigDocument.Entry], _ place: String) {
        self.table = table
        self.place = place
    }

    func section() throws(CommandError) -> ConfigSection {
        let (flag, scheme) = (try flag("tls"), try text("scheme"))
        let usesTLS = flag ?? (scheme == "https")
        let host = try text("hostname")
        var brokers: [BrokerURL] = []
        for text in try texts("url") {
            brokers.append(try parse(text, "url") { text throws(BrokerURL.Invalid) in try BrokerURL(text) })
        }
        if brokers.isEmpty { brokers = [BrokerURL(host: host ?? "localhost", usesTLS: usesTLS)] }
        for index in brokers.indices { try complete(&brokers[index]) }
        return ConfigSection(brokers: brokers, api: try api(host: host, brokers[0], usesTLS: usesTLS))
    }

    private func api(host: String?, _ broker: BrokerURL, usesTLS: Bool) throws(CommandError) -> ManagementURL? {
        let parse = { text throws(BrokerURL.Invalid) in try ManagementURL(text) }
        if let base = try text("base_uri") { return try self.parse(base, "base_uri", parse) }
        let (port, prefix) = (try number("port"), try text("path_prefix"))
        guard host != nil || port != nil || prefix != nil else { return nil }
        let name = host ?? broker.host
        let scheme = usesTLS || broker.usesTLS ? "https" : "http"
        let address =
            "\(scheme)://\(URLParts.hostText(name))" + (port.map { ":\($0)" } ?? "")
            + "/" + (prefix ?? "").drop { $0 == "/" }
        return try self.parse(address, "hostname, port or path_prefix", parse)
    }

    /// Adds what the section says besides the URL, where the URL doesn't.
    private func complete(_ broker: inout BrokerURL) throws(CommandError) {
        if broker.username == nil, let username = try text("username") { broker.username = username }
        if broker.password == nil, broker.username == (try text("username")), let password = try text("password") {
            broker.password = Secret(password)
        }
        if broker.vhost == nil { broker.vhost = try text("virtual_host") }
        if broker.vhost == nil { broker.vhost = try text("vhost") }
        if broker.caCertificateFile == nil { broker.caCertificateFile = try text("ca_certificate_bundle_path") }
        if broker.certificateFile == nil { broker.certificateFile = try text("client_certificate_file_path") }
        if broker.keyFile == nil { broker.keyFile = try text("client_private_key_file_path") }
    }

    private func parse<Value>(
        _ text: String, _ key: String, _ parse: (String) throws(BrokerURL.Invalid) -> Value
    ) throws(CommandError) -> Value {
        do {
            return try parse(text)
        } catch {
            throw CommandError(.configuration, "\(key) in \(place) can't be used: \(error.reason)")
        }
    }

    private func text(_ key: String) throws(CommandError) -> String? {
        guard let value = table[key]?.value else { return nil }
        guard case .text(let text) = value, !text.isEmpty else { throw mismatch(key, "a text, not empty") }
        return text
    }

    private func texts(_ key: String) throws(CommandError) -> [String] {
        guard case .list(let list)? = table[key]?.value else { return try text(key).map { [$0] } ?? [] }
        let texts = list.compactMap(\.self)
        guard texts.count == list.count else { throw mismatch(key, "a text or a list of texts") }
        return texts
    }

    private func flag(_ key: String) throws(CommandError) -> Bool? {
        guard let value = table[key]?.value else { return nil }
        guard case .flag(let flag) = value else { throw mismatch(key, "true or false") }
        return flag
    }

    private func number(_ key: String) throws(CommandError) -> UInt16? {
        guard let value = table[key]?.value else { return nil }
        guard case .number(let wide) = value, let number = UInt16(exactly: wide), number > 0 else {
            throw mismatch(key, "a number from 1 to 65535")
        }
        return number
    }

    private func mismatch(_ key: String, _ expectation: String) -> CommandError {
        let line = table[key].map { " (line \($0.line))" } ?? ""
        return CommandError(.configuration, "\(key) in \(place)\(line) must be \(expectation)")
    }
}
