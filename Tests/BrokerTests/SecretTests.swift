// A password that gets printed by accident must not be readable.

import Testing

@testable import Broker

@Suite("Secrets") struct SecretTests {
    private static var secret: Secret { Secret("CANARY") }

    private struct Owner {
        var name = "me"
        var password: Secret? = SecretTests.secret
        var list = [SecretTests.secret]
    }

    @Test("S6 no description, interpolation or reflection shows it")
    func descriptions() {
        let texts = [
            Self.secret.description, Self.secret.debugDescription, "\(Self.secret)", String(describing: Self.secret),
            String(reflecting: Self.secret), "\([Self.secret])", "\(["key": Self.secret])",
            "\(Optional(Self.secret) as Any)", "\(Owner())", String(reflecting: Owner()),
        ]
        for text in texts {
            #expect(text.contains("(secret)"))
            #expect(!text.contains("CANARY"))
        }
    }

    @Test("S6 no dump and no mirror shows it, however deep it lies")
    func mirrors() {
        var text = ""
        dump(Self.secret, to: &text)
        dump(Owner(), to: &text)
        dump(ConnectionParameters.Login.plain(username: "me", password: Self.secret), to: &text)
        #expect(text.contains("me"))
        #expect(!text.contains("CANARY"))
        #expect(Mirror(reflecting: Self.secret).children.isEmpty)
    }

    @Test("the one way to the text works, and equality is the text's")
    func revealed() {
        #expect(Self.secret.revealed == "CANARY")
        #expect(Self.secret == Secret("CANARY"))
        #expect(Self.secret != Secret("canary"))
    }
}
