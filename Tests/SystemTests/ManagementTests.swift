// The management API of a real broker, asked without a command around it.

import Broker
import Foundation
import Management
import TestSupport
import Testing

extension ManagementParameters {
    /// The API of a test's broker.
    init(_ broker: ThrowawayBroker, username: String = "guest", password: String = "guest") throws {
        let endpoint = try ManagementURL(broker.apiURL).endpoint
        self.init(endpoints: [endpoint], username: username, password: Secret(password))
    }
}

extension ManagementAPI {
    /// All queues of a vhost, with type and counts.
    fileprivate func all(_ vhost: String) throws(ManagementError) -> [QueueRecord] {
        try queues(QueueQuery(vhost: vhost, columns: [.type, .ready, .unacknowledged]))
    }
}

@Suite("management API", .serialized, .timeLimit(.minutes(5)))
struct ManagementTests {
    @Test("the queues of a vhost come sorted, with type and live counts, fresh ones included")
    func summaries() async throws {
        let fixture = try Fixture()
        let (first, second) = (fixture.anotherQueue("a"), fixture.anotherQueue("b"))
        let channel = try fixture.channel()
        try channel.declareQueue(ShortString(second), type: .quorum)
        try channel.declareQueue(ShortString(first), type: .classic)
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        try await fixture.publish(["1", "2"])
        let api = try ManagementAPI(ManagementParameters(fixture.broker))
        let mine = try api.all("/").filter { $0.name.hasPrefix(fixture.queue) }
        #expect(mine.map(\.name) == [fixture.queue, first, second])
        #expect(mine.map(\.values[0]) == [.text("classic"), .text("classic"), .text("quorum")])
        #expect(mine.map(\.values[1]) == [.integer(2), .integer(0), .integer(0)], "\(mine)")
        #expect(mine.allSatisfy { $0.values[2] == .integer(0) }, "\(mine)")
        #expect(mine.map(\.vhost) == ["/", "/", "/"])
    }

    @Test("a vhost whose name no URL can carry is refused before anything is sent")
    func unencodableVhost() throws {
        let parameters = ManagementParameters(
            endpoints: [.init(usesTLS: false, host: "127.0.0.1", port: 1)], username: "guest", password: Secret("guest")
        )
        let api = try ManagementAPI(parameters)
        let error = #expect(throws: ManagementError.self) { try api.all("..") }
        #expect(error?.code == .invalidInput)
    }

    @Test("O9 wrong logins, missing tags and rights, unknown vhosts and no listener at all are told apart")
    func failures() async throws {
        let fixture = try Fixture()
        let user = "user-\(fixture.queue)"
        try await fixture.broker.ctl("add_user", user, "secret")

        func failure(_ parameters: ManagementParameters, vhost: String = "/") -> ManagementError? {
            #expect(throws: ManagementError.self) { try ManagementAPI(parameters).all(vhost) }
        }
        let wrong = failure(try ManagementParameters(fixture.broker, password: "CANARY"))
        #expect(
            wrong?.code == .wrongLogin && wrong?.message.contains("CANARY") == false, "\(String(describing: wrong))")
        let untagged = failure(try ManagementParameters(fixture.broker, username: user, password: "secret"))
        #expect(untagged?.code == .missingRight && untagged?.text.contains("tag management") == true)
        try await fixture.broker.ctl("set_user_tags", user, "management")
        let unauthorized = failure(try ManagementParameters(fixture.broker, username: user, password: "secret"))
        #expect(unauthorized?.code == .missingRight && unauthorized?.text.contains("vhost \"/\"") == true)
        let unknown = failure(try ManagementParameters(fixture.broker), vhost: "no/such vhost")
        #expect(unknown?.code == .notFound && unknown?.text.contains("no/such vhost") == true)

        let nobody = ManagementParameters.Endpoint(usesTLS: false, host: "127.0.0.1", port: 1)
        var parameters = try ManagementParameters(fixture.broker)
        parameters.endpoints = [nobody]
        #expect(failure(parameters)?.code == .unreachable)
        parameters.endpoints = [.init(usesTLS: false, host: "no-such-host.invalid")]
        #expect(failure(parameters)?.code == .hostNotFound)
        parameters.endpoints = [.init(usesTLS: false, host: "127.0.0.1", port: UInt16(fixture.broker.port))]
        #expect(failure(parameters)?.code == .notManagementAPI)
        parameters.endpoints = try [nobody] + ManagementParameters(fixture.broker).endpoints
        #expect(try ManagementAPI(parameters).all("/").count >= 0)
    }
}
