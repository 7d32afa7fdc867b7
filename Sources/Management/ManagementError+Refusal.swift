// What the API's refusals mean to a user.

import JSON
import Text

extension ManagementError {
    /// The error behind a status that isn't 200.
    init(_ operation: String, status: Int, body: [UInt8], vhost: String?) {
        let refusal = try? JSONReader.value(of: body)
        let error = refusal?["error"]?.string
        let reason = refusal?["reason"]?.string ?? error
        switch (status, error) {
        case (401, "not_authorised"):
            self.init(operation, .missingRight, Self.missingRight(reason, vhost: vhost))
        case (401, _):
            self.init(operation, .wrongLogin, "the user name or the password is wrong")
        case (403, _):
            self.init(operation, .missingRight, "access refused" + (reason.map { ": \($0)" } ?? ""))
        case (404, _?):
            self.init(operation, .notFound, vhost.map { "no such vhost: \($0)" } ?? "no such path")
        case (300..<400, _):
            self.init(operation, .notManagementAPI, "it points to another address, where workq won't take the login")
        case (500..., _):
            self.init(
                operation, .serverError, "the API failed with status \(status)" + (reason.map { ": \($0)" } ?? ""))
        default:
            self.init(operation, .notManagementAPI, "\(Self.notTheAPI) (it answered with status \(status))")
        }
    }

    static let notTheAPI = "what answers there isn't RabbitMQ's management API"

    private static func missingRight(_ reason: String?, vhost: String?) -> String {
        // "Not management user" is RabbitMQ's text for a user without one of the management plugin's tags.
        guard reason?.contains("vhost") != true, reason?.contains("virtual host") != true else {
            return "the user has no permissions on vhost \"\(vhost ?? "/")\""
        }
        return "the user lacks the tag management" + (reason.map { " (\($0))" } ?? "")
    }
}
