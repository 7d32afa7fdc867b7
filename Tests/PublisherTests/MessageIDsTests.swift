// Message ids tell duplicates from new tasks, so no two may be alike.

import Broker
import Testing

@testable import Publisher

@Suite("Message ids") struct MessageIDsTests {
    private static func ids(_ count: Int) -> [String] {
        var messageIDs = MessageIDs()
        return (0..<count).map { _ in messageIDs.next().text.description }
    }

    @Test("an id is a random UUID in its usual form")
    func format() throws {
        let form = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        for id in Self.ids(1_000) { #expect(try form.wholeMatch(in: id) != nil) }
    }

    @Test("no two ids are alike, in one publisher and in two")
    func unique() {
        #expect(Set(Self.ids(20_000) + Self.ids(20_000)).count == 40_000)
    }

    @Test("all but the six fixed bits are random")
    func randomBits() {
        let numbers = Self.ids(500).map { id in id.filter { $0 != "-" }.compactMap(\.hexDigitValue) }
        for position in 0..<32 {
            let digits = Set(numbers.map { $0[position] })
            // Seen at least once each: missing one of 16 in 500 tries has a chance of about 1 in 10^13.
            #expect(digits.count == (position == 12 ? 1 : position == 16 ? 4 : 16))
        }
    }
}
