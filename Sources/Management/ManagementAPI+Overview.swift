// Who answers where the management API should be.

import JSON
import Posix

extension ManagementAPI {
    /// What the API says of itself. Texts come from elsewhere: escape before showing.
    package struct Overview {
        /// The endpoint that answered, as messages name it.
        package var endpoint: String
        package var brokerVersion: String
        package var pluginVersion: String
    }

    private static let overviewLimit = 4 << 20

    /// Asks the endpoints in turn, on the caller's thread, by `deadline` at the latest.
    package func overview(by deadline: Instant) throws(ManagementError) -> Overview {
        let limit = TimeLimit(parameters.timeout, by: deadline)
        var last = ManagementError("ask the management API", .unreachable, "no address is given")
        for endpoint in parameters.endpoints {
            do throws(ManagementError) {
                return try overview(of: endpoint, within: limit)
            } catch {
                guard error.isWorthAnotherEndpoint else { throw error }
                last = error
            }
        }
        throw last
    }

    private func overview(
        of endpoint: ManagementParameters.Endpoint, within limit: TimeLimit
    ) throws(ManagementError) -> Overview {
        let operation = "ask \(endpoint.description) who it is"
        guard HTTPSession.isAvailable else {
            throw ManagementError(operation, .noLibrary, "libcurl isn't installed (apt-get install libcurl4)")
        }
        guard !limit.isOver else { throw .timedOut(operation, limit) }
        let request = request(to: endpoint, "/api/overview", within: limit)
        var body: [UInt8] = []
        let head: HTTPReplyHead
        do {
            guard var session = HTTPSession() else { throw ReplyFault.noMemory }
            head = try session.get(request) { _, bytes in
                body += bytes
                guard body.count <= Self.overviewLimit else { throw ReplyFault.tooLarge }
            }
        } catch {
            throw ManagementError(operation, error, request, parameters)
        }
        guard head.status == 200 else { throw ManagementError(operation, status: head.status, body: body, vhost: nil) }
        guard let reply = try? JSONReader.value(of: body), let version = reply["management_version"]?.string else {
            throw ManagementError(operation, .notManagementAPI, ManagementError.notTheAPI)
        }
        return Overview(
            endpoint: endpoint.description, brokerVersion: reply["rabbitmq_version"]?.string ?? version,
            pluginVersion: version)
    }
}
