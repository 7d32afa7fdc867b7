// The only place that knows exit numbers.

import Broker
import Management
import Options

/// A process's exit status, after sysexits.h as rabbitmqctl uses it.
package struct ExitStatus: RawRepresentable, Equatable {
    package var rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static let done = ExitStatus(rawValue: 0)
    package static let someFailed = ExitStatus(rawValue: 1)
    package static let partlyDone = ExitStatus(rawValue: 3)
    package static let checkWarning = ExitStatus(rawValue: 1)
    package static let checkCritical = ExitStatus(rawValue: 2)
    package static let checkUnknown = ExitStatus(rawValue: 3)
    package static let usage = ExitStatus(rawValue: 64)
    package static let refused = ExitStatus(rawValue: 65)
    package static let noInput = ExitStatus(rawValue: 66)
    package static let unavailable = ExitStatus(rawValue: 69)
    package static let softwareError = ExitStatus(rawValue: 70)
    package static let cannotCreate = ExitStatus(rawValue: 73)
    package static let inputOutputError = ExitStatus(rawValue: 74)
    package static let temporaryFailure = ExitStatus(rawValue: 75)
    package static let unknownOutcome = ExitStatus(rawValue: 76)
    package static let noPermission = ExitStatus(rawValue: 77)
    package static let configuration = ExitStatus(rawValue: 78)

    /// Ended by a signal.
    package static func signal(_ number: Int32) -> ExitStatus { ExitStatus(rawValue: 128 + number) }

    /// What the manual says of each status.
    package static let descriptions = [
        ExitStatusDescription(status: "0", meaning: "Done."),
        ExitStatusDescription(
            status: "1",
            meaning: "A worker that left by itself is done, but at least one task was dead-lettered or rejected. "
                + "A worker that a signal ended leaves with 0. For `bench`: a condition of `--fail-if` holds. Of a "
                + "check: "
                + "warning."),
        ExitStatusDescription(status: "2", meaning: "Of a check: critical."),
        ExitStatusDescription(
            status: "3",
            meaning:
                "Partly done: some tasks were confirmed and some were not, or some queues were purged or deleted and "
                + "some were not; the message says how many. For `bench`: confirmed messages were lost, or some "
                + "refused. "
                + "Of a check: it can't be told."),
        ExitStatusDescription(status: "64", meaning: "Usage: the command line can't be understood."),
        ExitStatusDescription(
            status: "65",
            meaning: "Refused because of the data or the state: no such queue, unroutable, task too large, "
                + "arguments that differ."),
        ExitStatusDescription(status: "66", meaning: "An input can't be read."),
        ExitStatusDescription(
            status: "69", meaning: "The broker can't be reached, or the connection was lost and retrying is off."),
        ExitStatusDescription(status: "70", meaning: "A bug in workq."),
        ExitStatusDescription(status: "73", meaning: "An output file or the spool can't be created or written."),
        ExitStatusDescription(status: "74", meaning: "Reading or writing failed."),
        ExitStatusDescription(
            status: "75",
            meaning: "Temporary, and certainly not done: the broker could not take a task, or was blocked by an "
                + "alarm or silent before anything was sent. Trying again makes no duplicate. For "
                + "`publish --wait-reply`: the task is confirmed, and no answer came in time."),
        ExitStatusDescription(
            status: "76",
            meaning: "Nobody knows: no confirm came in time, or the connection was lost after sending. Trying again "
                + "may make a duplicate; `--retry-for` and `--spool` try again with the same message ids."),
        ExitStatusDescription(
            status: "77", meaning: "Access refused; the message names the permission that is missing."),
        ExitStatusDescription(
            status: "78", meaning: "Configuration: a bad file or certificate, or a command that can't be run."),
        ExitStatusDescription(status: "128+n", meaning: "Ended by signal n."),
    ]

    /// The status for a failed operation on the broker.
    package init(_ error: BrokerError) {
        self =
            switch error.code {
            case .accessRefused, .notAllowed: .noPermission
            case .notFound, .preconditionFailed, .resourceLocked, .notImplemented, .contentTooLarge, .noRoute,
                .invalidInput:
                .refused
            case .badCertificateFile, .tlsFailed, .unknownAuthority: .configuration
            case .outOfResources, .nacked: .temporaryFailure
            case .timedOut where error.scope != .connection: .temporaryFailure
            default: .unavailable
            }
    }

    /// The status for a failed question to the management API.
    package init(_ error: ManagementError) {
        self =
            switch error.code {
            case .wrongLogin, .missingRight: .noPermission
            case .notFound, .invalidInput: .refused
            case .badCertificateFile, .tlsFailed, .unknownAuthority: .configuration
            case .timedOut, .serverError, .outOfResources: .temporaryFailure
            case .unreachable, .hostNotFound, .connectionLost, .notManagementAPI, .tooLarge, .noLibrary: .unavailable
            }
    }
}
