// URLs come from people, scripts and secret stores: each part is read as written, and nothing ever shows the password.

import Testing

@testable import Broker

@Suite("Broker URLs") struct BrokerURLTests {
    @Test("a bare host gets the usual port and nothing else")
    func bareHost() throws {
        let url = try BrokerURL("amqp://broker")
        #expect(!url.usesTLS)
        #expect(url.host == "broker")
        #expect(url.port == 5672)
        #expect(url.username == nil)
        #expect(url.password == nil)
        #expect(url.vhost == nil)
        #expect(url.heartbeatSeconds == nil)
        #expect(url.connectionTimeoutMilliseconds == nil)
        #expect(url.verifiesPeer == nil)
        #expect(!url.usesExternalLogin)
    }

    @Test("amqps means TLS and port 5671, and a scheme may be in capitals")
    func schemes() throws {
        #expect(try BrokerURL("amqps://broker").usesTLS)
        #expect(try BrokerURL("amqps://broker").port == 5671)
        #expect(try BrokerURL("AMQPS://broker").usesTLS)
        #expect(try BrokerURL("Amqp://broker").port == 5672)
        #expect(try BrokerURL("amqps://broker:5672").port == 5672)
    }

    @Test("user, password, host and vhost are percent-decoded")
    func percentEncoding() throws {
        let url = try BrokerURL("amqp://j%C3%B6%40b%3a:p%2Fw%25%3F%23@bro%2Dker:1/%2Fprod%20%C3%BC")
        #expect(url.username == "jö@b:")
        #expect(url.password == Secret("p/w%?#"))
        #expect(url.host == "bro-ker")
        #expect(url.port == 1)
        #expect(url.vhost == "/prod ü")
    }

    @Test("the last @ ends the login, the first colon the user name")
    func loginDelimiters() throws {
        let url = try BrokerURL("amqp://me:a@b:c@broker")
        #expect(url.username == "me")
        #expect(url.password == Secret("a@b:c"))
        #expect(url.host == "broker")
    }

    @Test("an empty password isn't a missing one")
    func emptyPassword() throws {
        #expect(try BrokerURL("amqp://me:@broker").password == Secret(""))
        #expect(try BrokerURL("amqp://me@broker").password == nil)
        #expect(try BrokerURL("amqp://:pw@broker").username == "")
    }

    @Test(
        "IPv6 addresses stand in brackets, with and without a port",
        arguments: [
            ("amqp://[::1]", "::1", 5672), ("amqp://[::1]:5673", "::1", 5673),
            ("amqps://[fe80::1%25eth0]:1/v", "fe80::1%eth0", 1),
            ("amqp://[::1]:", "::1", 5672),
        ] as [(String, String, UInt16)])
    func ipv6(text: String, host: String, port: UInt16) throws {
        let url = try BrokerURL(text)
        #expect(url.host == host)
        #expect(url.port == port)
    }

    @Test(
        "an empty path and / mean no vhost of the URL's own, %2F is the vhost /",
        arguments: [
            ("amqp://h", nil), ("amqp://h/", nil), ("amqp://h/%2F", "/"), ("amqp://h/%2f", "/"), ("amqp://h//", "/"),
            ("amqp://h/prod", "prod"),
            ("amqp://h/%2Fprod%2F", "/prod/"), ("amqp://h/prod?heartbeat=1", "prod"), ("amqp://h?heartbeat=1", nil),
        ] as [(String, String?)])
    func vhosts(text: String, vhost: String?) throws {
        #expect(try BrokerURL(text).vhost == vhost)
    }

    @Test("a vhost may have 255 bytes and no more")
    func longVhost() throws {
        let longest = String(repeating: "v", count: 255)
        #expect(try BrokerURL("amqp://h/\(longest)").vhost == longest)
        #expect(throws: BrokerURL.Invalid(reason: "the vhost is longer than 255 bytes")) {
            try BrokerURL("amqp://h/\(longest)v")
        }
        // Two bytes a letter.
        #expect(throws: BrokerURL.Invalid.self) { try BrokerURL("amqp://h/\(String(repeating: "ü", count: 128))") }
    }

    @Test("all query parameters are read, decoded, and those of other clients ignored")
    func queryParameters() throws {
        let url = try BrokerURL(
            "amqps://h/v?heartbeat=0&connection_timeout=1500&cacertfile=%2Fca%20file.pem&certfile=c.pem&keyfile=k.pem"
                + "&verify=verify_none&auth_mechanism=EXTERNAL&channel_max=5&frame_max=x&depth=1&fail_if_no_peer_cert=true"
        )
        #expect(url.heartbeatSeconds == 0)
        #expect(url.connectionTimeoutMilliseconds == 1500)
        #expect(url.caCertificateFile == "/ca file.pem")
        #expect(url.certificateFile == "c.pem")
        #expect(url.keyFile == "k.pem")
        #expect(url.verifiesPeer == false)
        #expect(url.usesExternalLogin)
        #expect(try BrokerURL("amqp://h?verify=verify_peer&auth_mechanism=plain").verifiesPeer == true)
        #expect(try !BrokerURL("amqp://h?auth_mechanism=plain").usesExternalLogin)
        #expect(try BrokerURL("amqp://h/?").heartbeatSeconds == nil)
    }

    @Test("numbers in the query have limits")
    func queryLimits() throws {
        #expect(try BrokerURL("amqp://h?heartbeat=65535").heartbeatSeconds == 65_535)
        #expect(try BrokerURL("amqp://h?connection_timeout=86400000").connectionTimeoutMilliseconds == 86_400_000)
        for query in ["heartbeat=65536", "heartbeat=-1", "heartbeat=", "heartbeat", "heartbeat=5s"] {
            #expect(throws: BrokerURL.Invalid(reason: "the query parameter heartbeat must be a number from 0 to 65535"))
            {
                try BrokerURL("amqp://h?\(query)")
            }
        }
        for query in ["connection_timeout=0", "connection_timeout=86400001", "connection_timeout=1.5"] {
            #expect(
                throws: BrokerURL.Invalid(
                    reason: "the query parameter connection_timeout must be a number from 1 to 86400000")
            ) { try BrokerURL("amqp://h?\(query)") }
        }
    }

    private static let badPort = "the port must be a number from 1 to 65535"

    private static let faults = [
        ("", "it must start with amqp:// or amqps://"),
        ("broker:5672", "it must start with amqp:// or amqps://: amqp://broker:5672"),
        ("http://broker", "it must start with amqp:// or amqps://"),
        ("amqp:/broker", "it must start with amqp:// or amqps://"),
        ("amqp://", "the host is missing"),
        ("amqp://:5672", "the host is missing"),
        ("amqp://me:pw@/v", "the host is missing"),
        ("amqp://[]", "the host is missing"),
        ("amqp://[::1", "an IPv6 address must stand in brackets: [::1]"),
        ("amqp://[::1]5672", "the port must follow a colon"),
        ("amqp://fe80::1", "an IPv6 address must stand in brackets: [::1]"),
        ("amqp://h:0", badPort),
        ("amqp://h:65536", badPort),
        ("amqp://h:+1", badPort),
        ("amqp://h:-1", badPort),
        ("amqp://h:x", badPort),
        ("amqp://h/a/b", "a / in the vhost must be written %2F"),
        ("amqp://h/a/b", "a / in the vhost must be written %2F"),
        ("amqp://h/%", "the vhost holds a % that two hexadecimal digits don't follow; a % is written %25"),
        ("amqp://h/%2", "the vhost holds a % that two hexadecimal digits don't follow; a % is written %25"),
        ("amqp://%g0@h", "the user name holds a % that two hexadecimal digits don't follow; a % is written %25"),
        ("amqp://h/%00", "the vhost holds a NUL"),
        ("amqp://me:%00@h", "the password holds a NUL"),
        ("amqp://h%00.example.net", "the host holds a NUL"),
        ("amqp://h/%FF", "the vhost is not UTF-8"),
        ("amqp://h/%C0%80", "the vhost is not UTF-8"),
        ("amqp://h?verify=no", "the query parameter verify must be verify_peer or verify_none"),
        ("amqp://h?auth_mechanism=amqplain", "the query parameter auth_mechanism must be plain or external"),
        ("amqp://h?heartbeat=%zz", "the query holds a % that two hexadecimal digits don't follow; a % is written %25"),
    ]

    @Test("what can't be used is refused with a reason", arguments: faults)
    func refusals(text: String, reason: String) {
        #expect(throws: BrokerURL.Invalid(reason: reason)) { try BrokerURL(text) }
    }

    @Test("an unknown query parameter is refused and the known ones are named")
    func unknownParameter() {
        let error = #expect(throws: BrokerURL.Invalid.self) { try BrokerURL("amqp://h?hearbeat=5") }
        for name in [
            "heartbeat", "connection_timeout", "cacertfile", "certfile", "keyfile", "verify", "auth_mechanism",
        ] {
            #expect(error?.reason.contains(name) == true)
        }
    }
}
