// Where the management API is, from the same options as the broker.

import Broker
import Management

extension ConnectionOptions {
    /// The management API's parameters. `login` is the one that was made for AMQP, where there is one already: a
    /// password that is asked for on the terminal is asked for once.
    func managementParameters(
        login: ConnectionParameters.Login? = nil, in context: CommandContext
    ) throws(CommandError) -> ManagementParameters {
        let cluster = try cluster(in: context)
        let brokers = cluster.brokers
        let url = try managementURL(for: cluster)
        let endpoints = url.map { [$0.endpoint] } ?? brokers.map { .init(usesTLS: $0.usesTLS, host: $0.host) }
        let (username, password) = try managementLogin(url, cluster, login, in: context)
        var parameters = ManagementParameters(endpoints: endpoints, username: username, password: password)
        parameters.tls = try tls(brokers)
        parameters.connectTimeout = connectTimeout ?? parameters.connectTimeout
        let isWarned = login != nil && brokers.contains(where: \.usesTLS)
        if !parameters.tls.verifiesPeer, !isWarned, endpoints.contains(where: \.usesTLS) {
            context.say("warning: the management API's certificate is not verified; anybody could be answering")
        }
        return parameters
    }

    /// The API's URL, nil when it is derived from the broker's.
    ///
    /// A URL from the environment belongs to the environment's broker: to take it for another one would list the queues
    /// of the one and purge those of the other.
    private func managementURL(for cluster: ConfigSection) throws(CommandError) -> ManagementURL? {
        if apiURL == nil, let url = cluster.api { return url }
        guard let text = apiURL ?? environmentAPIURL else { return nil }
        let url: ManagementURL
        do {
            url = try ManagementURL(text)
        } catch {
            throw CommandError(.usage, "the management API's URL can't be used: \(error.reason)")
        }
        guard apiURL == nil, namesCluster else { return url }
        // Several brokers may have ports on one host: then it must be the environment's.
        if let text = environmentURL, let own = try? BrokerURL(text) {
            let isSame = cluster.brokers.contains { Self.isSame($0.host, own.host) && $0.port == own.port }
            return isSame ? url : nil
        }
        return cluster.brokers.contains { Self.isSame($0.host, url.endpoint.host) } ? url : nil
    }

    private static func isSame(_ host: String, _ other: String) -> Bool {
        host.lowercased() == other.lowercased() || isLoopback(host) && isLoopback(other)
    }

    private func managementLogin(
        _ url: ManagementURL?, _ cluster: ConfigSection, _ login: ConnectionParameters.Login?,
        in context: CommandContext
    ) throws(CommandError) -> (String, Secret) {
        if let user = url?.username, !user.isEmpty, username == nil || username == user {
            if let password = try password(beside: url?.password, in: context) { return (user, password) }
        }
        let amqpLogin = if let login { login } else { try self.login(cluster.brokers, in: context) }
        guard case .plain(let user, let password) = amqpLogin else {
            throw CommandError(
                .usage, "the management API takes no certificate as login. Name a user and a password in --api-url")
        }
        let isGuestByDefault = username == nil && cluster.brokers.allSatisfy { $0.username == nil }
        if isGuestByDefault, let url, !Self.isLoopback(url.endpoint.host) {
            throw CommandError(
                .usage, "no user is given for \(url.endpoint.description); guest is only tried on this machine")
        }
        return (user, password)
    }
}
