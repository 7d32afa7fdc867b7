// Variables are found by their whole names, the first one of a name counts, and none is repaired.

import Testing

@testable import Posix

@Suite("Environments") struct EnvironmentTests {
    private let environment = Environment(
        [
            "HOMER=no", "HOME=/home/u", "HOME=/second", "EMPTY=", "EQUALS=a=b", "NOTHING", "=odd",
        ].map { Array($0.utf8) } + [Array("BYTES=".utf8) + [0xFF]])

    @Test(
        "a variable is the first one of its whole name",
        arguments: [
            ("HOME", "/home/u"), ("EMPTY", ""), ("EQUALS", "a=b"), ("HOM", nil), ("NOTHING", nil), ("BYTES", nil),
            ("MISSING", nil), ("home", nil),
        ] as [(String, String?)])
    func lookup(name: String, value: String?) {
        #expect(environment[name] == value)
        #expect(environment.isUnreadable(name) == (name == "BYTES"))
    }
}
