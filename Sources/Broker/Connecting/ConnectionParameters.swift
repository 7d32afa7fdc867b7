// All that is needed to open a connection, resolved from options, environment and URL.

/// How to reach a broker and log in.
package struct ConnectionParameters: Sendable {
    /// One address of the broker or of a node of its cluster.
    package struct Node: Equatable, Sendable {
        package var host: String
        package var port: UInt16
        package var usesTLS: Bool

        package init(host: String, port: UInt16, usesTLS: Bool) {
            self.host = host
            self.port = port
            self.usesTLS = usesTLS
        }

        /// As it stands in messages: `amqp://host:5672`.
        package var description: String {
            let hostText = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
            return "\(usesTLS ? "amqps" : "amqp")://\(hostText):\(port)"
        }
    }

    package enum Login: Sendable {
        case plain(username: String, password: Secret)
        /// The client's certificate is the login (SASL EXTERNAL).
        case external
    }

    /// Verification of the broker's certificate is on unless said otherwise; TLS 1.2 at least, always.
    package struct TLS: Sendable {
        /// PEM; nil for the system's certificate store.
        package var caCertificateFile: String?
        package var certificateFile: String?
        package var keyFile: String?
        package var verifiesPeer = true

        package init() {}
    }

    /// Tried in turn.
    package var nodes: [Node]
    package var vhost: String
    package var login: Login
    package var tls = TLS()
    /// Whole seconds; 0 turns heartbeats off.
    package var heartbeatSeconds = 30
    /// For one node: connecting to all its addresses, TLS and login together.
    package var connectTimeout = Duration.seconds(5)
    /// For an answer to a method.
    package var requestTimeout = Duration.seconds(30)
    /// For sending a message to a peer that doesn't read.
    package var sendTimeout = Duration.seconds(30)
    /// Shown to operators in the management page.
    package var connectionName: String

    package init(nodes: [Node], vhost: String, login: Login, connectionName: String) {
        self.nodes = nodes
        self.vhost = vhost
        self.login = login
        self.connectionName = connectionName
    }
}
