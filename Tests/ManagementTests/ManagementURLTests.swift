// The management API's URL: what is read from it, what is refused, and what is never shown.

import Broker
import Testing

@testable import Management

@Suite("Management URLs") struct ManagementURLTests {
    @Test(
        "scheme, host, port and prefix",
        arguments: [
            ("http://broker", "http://broker:15672"), ("https://broker", "https://broker:15671"),
            ("HTTP://broker:80/", "http://broker:80"), ("http://[::1]:15672", "http://[::1]:15672"),
            ("http://broker/api", "http://broker:15672"), ("http://broker/api/", "http://broker:15672"),
            ("https://u:p@proxy/rabbit/api", "https://proxy:15671/rabbit"),
            ("https://proxy/a%20b%2Fc", "https://proxy:15671/a%20b%2Fc"),
        ])
    func read(text: String, expected: String) throws {
        #expect(try ManagementURL(text).endpoint.description == expected)
    }

    @Test("user and password are decoded, and the password shows nowhere")
    func login() throws {
        let url = try ManagementURL("http://me:CANARY%40%2F@broker:1")
        #expect(url.username == "me" && url.password?.revealed == "CANARY@/")
        #expect(!"\(url)".contains("CANARY"))
        var dumped = ""
        dump(url, to: &dumped)
        #expect(!dumped.contains("CANARY"))
    }

    @Test(
        "what can't be used is refused, without its password",
        arguments: [
            "", "amqp://u:CANARY@b", "http://", "http://u:CANARY@b:x", "http://u:CANARY@b?x=1", "http://u:CANARY@b#x",
            "http://u:CANARY@b/../x", "http://u:CANARY@b/%2E", "http://u:CAN/ARY@b", "http://u:CANARY@b/%00",
        ])
    func refused(text: String) {
        let error = #expect(throws: BrokerURL.Invalid.self) { try ManagementURL(text) }
        #expect(error?.reason.contains("CANARY") == false)
    }

    @Test(
        "every special byte of a name is percent-encoded",
        arguments: [
            ("/", "%2F"), ("a b", "a%20b"), ("%2F", "%252F"), ("ä", "%C3%A4"), ("a.b-c_d~e", "a.b-c_d~e"),
            ("?#&=+", "%3F%23%26%3D%2B"), ("\n", "%0A"), ("...", "..."),
        ])
    func encoded(name: String, expected: String) {
        #expect(PathSegment(name)?.encoded == expected)
    }

    @Test("names that no path can carry are refused", arguments: ["", ".", ".."])
    func unencodable(name: String) {
        #expect(PathSegment(name) == nil)
    }
}
