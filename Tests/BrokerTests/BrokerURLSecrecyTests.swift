// Whatever a URL looks like, its password stays in it.

import Testing

@testable import Broker

@Suite("Passwords in broker URLs") struct BrokerURLSecrecyTests {
    private static let canary = "CANARY"

    @Test(
        "S6 the redacted URL has everything but password and query",
        arguments: [
            ("amqp://me:CANARY@broker", "amqp://me@broker:5672"),
            ("amqps://me:CANARY@broker:1/%2F", "amqps://me@broker:1"),
            ("amqp://me:CANARY@[::1]/prod?keyfile=CANARY", "amqp://me@[::1]:5672/prod"),
            ("amqp://broker/v", "amqp://broker:5672/v"),
        ])
    func redacted(text: String, shown: String) throws {
        #expect(try BrokerURL(text).redacted == shown)
    }

    @Test("S6 printing, interpolating and dumping a URL doesn't show the password")
    func dumped() throws {
        let url = try BrokerURL("amqp://me:CANARY@broker/v")
        var text = "\(url) \(String(reflecting: url)) \(url as Any) \(Optional(url) as Any)"
        dump(url, to: &text)
        #expect(text.contains("broker"))
        #expect(!text.contains(Self.canary))
    }

    /// URLs that hold CANARY where people put a password, most of them wrong in some other way too.
    private static let corpus: [String] = {
        let logins = [
            "me:CANARY", "me:CANARY/x", "me:x/CANARY", "me:CANARY?x", "me:x?CANARY", "me:CANARY=x", "me:x?a=CANARY",
            "me:#CANARY", "me:CANARY#", "me:%CANARY", "me:CANARY%", "me:CANARY%00", "me:%FFCANARY", "me:[CANARY",
            "me:x]CANARY", "me:CANARY:5", "me:x@CANARY", "me:CANARY@x", ":CANARY", "me:x&CANARY", "me:x?y&CANARY=1",
            "me:1?CANARY", "me:?CANARY", "me:?x&CANARY", "me:1/CANARY", "me:/CANARY",
        ]
        let rests = [
            "broker", "broker:x", "", "broker/a/b", "broker?y=1", "[::1", "broker/%", "broker/%00", ":5", "broker#",
        ]
        return logins.flatMap { login in
            rests.flatMap { ["amqp://\(login)@\($0)", "amqps://\(login)@\($0)", "amq://\(login)@\($0)"] }
        }
    }()

    @Test("S6 no error quotes the part that may hold a password", arguments: corpus)
    func errors(text: String) {
        do {
            let url = try BrokerURL(text)
            #expect(!url.redacted.contains(Self.canary))
        } catch {
            #expect(!error.reason.contains(Self.canary))
        }
    }

    @Test("S6 a password that starts with a combining character is still a password")
    func combiningCharacter() throws {
        let url = try BrokerURL("amqp://me:\u{301}CANARY@broker")
        #expect(url.username == "me")
        #expect(!url.redacted.contains(Self.canary))
    }
}
