// Scripts decide by the exit status: each kind of failure keeps its number.

import Broker
import Testing

@testable import Commands

@Suite("Exit statuses") struct ExitStatusTests {
    private static func status(_ code: BrokerError.Code, scope: BrokerError.Scope = .connection) -> Int32 {
        ExitStatus(BrokerError("do it", code, scope: scope, "reason")).rawValue
    }

    @Test("S1 what access control refuses is 77")
    func permission() {
        #expect(Self.status(.accessRefused) == 77)
        #expect(Self.status(.notAllowed) == 77)
    }

    @Test("what the data or the state forbids is 65")
    func refused() {
        let codes: [BrokerError.Code] = [
            .notFound, .preconditionFailed, .resourceLocked, .notImplemented, .contentTooLarge, .noRoute, .invalidInput,
        ]
        for code in codes { #expect(Self.status(code, scope: .channel) == 65) }
    }

    @Test("S9, S12 certificates that can't be used or trusted are 78")
    func configuration() {
        #expect(Self.status(.badCertificateFile) == 78)
        #expect(Self.status(.tlsFailed) == 78)
    }

    @Test("N14 a broker that can't be reached, went away or speaks something else is 69")
    func unavailable() {
        let codes: [BrokerError.Code] = [
            .hostNotFound, .unreachable, .connectionLost, .connectionForced, .internalError, .protocolViolation,
            BrokerError.Code(rawValue: 599),
        ]
        for code in codes { #expect(Self.status(code) == 69) }
        // Connecting that took too long is a broker that can't be reached.
        #expect(Self.status(.timedOut, scope: .connection) == 69)
    }

    @Test("N5 no answer in time and no resources are 75")
    func temporary() {
        #expect(Self.status(.timedOut, scope: .channel) == 75)
        #expect(Self.status(.timedOut, scope: .client) == 75)
        #expect(Self.status(.outOfResources) == 75)
    }

    @Test("the statuses are those of sysexits.h, and a signal's is what a shell makes of it")
    func numbers() {
        let statuses: [ExitStatus] = [
            .done, .partlyDone, .usage, .refused, .noInput, .unavailable, .softwareError, .inputOutputError,
            .temporaryFailure, .noPermission, .configuration,
        ]
        #expect(statuses.map(\.rawValue) == [0, 3, 64, 65, 66, 69, 70, 74, 75, 77, 78])
        #expect(ExitStatus.signal(15).rawValue == 143)
        let described = Set(ExitStatus.descriptions.map(\.status))
        for status in statuses { #expect(described.contains("\(status.rawValue)")) }
        #expect(described.contains("128+n"))
    }

    @Test("S1 the message of a refusal names the permission that is missing")
    func permissionHint() {
        var error = BrokerError("create queue \"q\"", .accessRefused, scope: .channel, "ACCESS_REFUSED")
        error.neededPermission = "configure queue \"q\""
        let message = CommandError(error).message
        #expect(message.hasPrefix("cannot create queue \"q\": ACCESS_REFUSED (403). "))
        #expect(message.contains("lacks the permission to configure queue \"q\""))
        let login = CommandError(BrokerError("connect", .accessRefused, scope: .connection, "wrong")).message
        #expect(login.contains("--password-file"))
        #expect(
            CommandError(BrokerError("connect", .unreachable, scope: .connection, "refused")).message.hasSuffix(
                "Is RabbitMQ running?"))
    }
}
