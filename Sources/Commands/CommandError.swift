// How a command says that it failed.

import Broker
import Management
import Options

/// A failed command: its exit status and what it says on standard error.
package struct CommandError: Error, Equatable {
    package var status: ExitStatus
    /// What failed, on what, and what to do, without the program's name. Escaped when it is shown.
    package var message: String
    /// Lines that explain the message, shown after it as they are; empty for none.
    package var details = ""

    package init(_ status: ExitStatus, _ message: String, details: String = "") {
        self.status = status
        self.message = message
        self.details = details
    }

    /// A failed operation on the broker, with a hint what to do about it.
    package init(_ error: BrokerError) {
        self.init(ExitStatus(error), Self.text(error.message, Self.hint(for: error)))
    }

    /// A failed question to the management API, with a hint what to do about it. `command` is who asked.
    package init(_ error: ManagementError, of command: String = "listing queues") {
        guard error.code != .noLibrary else {
            self.init(ExitStatus(error), "\(command) needs libcurl (apt-get install libcurl4)")
            return
        }
        self.init(ExitStatus(error), Self.text(error.message, Self.hint(for: error)))
    }

    /// A queue has tasks that it doesn't send.
    static func withheld(by queue: String) -> CommandError {
        CommandError(.temporaryFailure, "other consumers of queue \"\(queue)\" have its tasks, or get them first")
    }

    private static func text(_ message: String, _ hint: String?) -> String {
        hint.map { "\(message.withFullStop) \($0)" } ?? message
    }

    private static func hint(for error: ManagementError) -> String? {
        switch error.code {
        case .unreachable, .notManagementAPI:
            "Is the management plugin on (rabbitmq-plugins enable rabbitmq_management)? --api-url says where it listens"
        case .wrongLogin: "Check --username, --password-file or the URL"
        case .missingRight: "rabbitmqctl set_user_tags and set_permissions grant it"
        case .notFound: "rabbitmqctl list_vhosts shows what there is"
        case .unknownAuthority: "--cacert names the authority to trust"
        default: nil
        }
    }

    private static func hint(for error: BrokerError) -> String? {
        switch error.code {
        case .unreachable: "Is that the right broker (--url, WORKQ_URL)? Is RabbitMQ running?"
        case .timedOut where error.scope == .connection: "Is the host right, and can it be reached?"
        case .accessRefused:
            error.neededPermission.map {
                "The login lacks the permission to \($0); rabbitmqctl set_permissions grants it"
            } ?? (error.scope == .connection ? "Check --username, --password-file or the URL" : nil)
        case .notAllowed: "rabbitmqctl list_vhosts and list_permissions show what there is"
        case .unknownAuthority: "--cacert names the authority to trust"
        default: nil
        }
    }
}
