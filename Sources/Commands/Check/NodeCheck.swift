// The way to one node of a broker, stage by stage.

import Broker
import Options
import Posix

/// Connects to one node, and says of each stage what it came to.
struct NodeCheck {
    let node: ConnectionParameters.Node
    let parameters: ConnectionParameters
    let report: CheckReport

    /// Below so many days a certificate is worth a word.
    private static let fewDays: Int64 = 21

    /// The connection; nil when a stage failed.
    func run(wallClock: UInt64) -> Connection? {
        var parameters = parameters
        parameters.nodes = [node]
        var stage = node.usesTLS ? "tls" : "name"
        var certificate: Certificate?
        report.begin()
        do throws(BrokerError) {
            return try Connection.open(parameters) { step, instant in
                switch step {
                case .resolved(let addresses):
                    let isAddress = addresses == [node.host]
                    report.add(
                        .fine, "name", isAddress ? "\(node.host) is an address" : "\(node.host) is \(list(addresses))",
                        at: instant)
                    stage = "tcp"
                case .connected(let address):
                    report.add(.fine, "tcp", "\(address) takes connections at port \(node.port)", at: instant)
                    stage = node.usesTLS ? "tls" : "login"
                    if !node.usesTLS { sayThereIsNoTLS() }
                case .identified(let shown): certificate = shown
                case .secured(let version):
                    say(version, certificate, wallClock, at: instant)
                    stage = "login"
                case .loggedIn:
                    report.add(.fine, "login", login, at: instant)
                    report.add(.fine, "vhost", "\"\(parameters.vhost)\"")
                }
            }
        } catch {
            if error.code == .hostNotFound { stage = "name" }
            // The broker looks at the vhost once it knows the user.
            if error.code == .notAllowed {
                report.add(.fine, "login", login)
                stage = "vhost"
            }
            if stage == "tls", let certificate {
                report.add(.note, "tls", "the certificate \(text(certificate, wallClock))")
            }
            report.fail(stage, CommandError(error))
            return nil
        }
    }

    private var login: String {
        switch parameters.login {
        case .plain(let username, _): "user \"\(username)\", by password"
        case .external: "the certificate's user"
        }
    }

    private func sayThereIsNoTLS() {
        let isHere = ConnectionOptions.isLoopback(node.host)
        report.add(
            isHere ? .fine : .note, "tls",
            isHere ? "none, on this machine" : "none: passwords and tasks can be read on their way; amqps:// has it")
    }

    private func say(_ version: String, _ certificate: Certificate?, _ wallClock: UInt64, at instant: Instant) {
        let rest = certificate.flatMap { days(of: $0, wallClock) }
        let words = certificate.map { "; the certificate \(text($0, wallClock))" } ?? ""
        let isVerified = parameters.tls.verifiesPeer
        report.add(
            isVerified && rest ?? .max >= Self.fewDays ? .fine : .note, "tls",
            "\(version)\(words)\(isVerified ? "" : ", and isn't verified")", at: instant)
    }

    private func text(_ certificate: Certificate, _ wallClock: UInt64) -> String {
        let names = certificate.names.isEmpty ? "names nobody" : "is for \(list(certificate.names))"
        guard let days = days(of: certificate, wallClock) else { return names }
        let time = days < 0 ? "it has expired" : "it has \(days) day\(days == 1 ? "" : "s") left"
        return "\(names); \(time)"
    }

    /// Whole days that are left; below 0 when the end has passed.
    private func days(of certificate: Certificate, _ wallClock: UInt64) -> Int64? {
        certificate.expiry.map { expiry in
            let seconds = expiry - Int64(clamping: wallClock)
            return seconds < 0 ? -1 : seconds / 86_400
        }
    }

    private func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}
