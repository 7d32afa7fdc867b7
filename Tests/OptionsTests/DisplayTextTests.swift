// Names from elsewhere must not control the terminal they are shown on.

import TestSupport
import Testing

@testable import Options

@Suite("Display text") struct DisplayTextTests {
    @Test(
        "characters that move the cursor, hide text or reverse it are shown as their bytes",
        arguments: [
            ("\u{1B}[2J", "\\x1b[2J"), ("a\nb\tc\r", "a\\x0ab\\x09c\\x0d"), ("\u{0}\u{7F}", "\\x00\\x7f"),
            ("\u{9B}31m", "\\xc2\\x9b31m"), ("\u{202E}txt", "\\xe2\\x80\\xaetxt"), ("a\u{200B}b", "a\\xe2\\x80\\x8bb"),
            ("\u{2028}\u{2029}", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"), ("\r\n", "\\x0d\\x0a"),
        ])
    func escapes(text: String, shown: String) {
        #expect(text.escapedForDisplay == shown)
    }

    @Test(
        "readable text in any script stays as it is",
        arguments: ["", "queue", "a b", "Grüße", "日本", "🙂", "e\u{301}", "\\x1b"])
    func keeps(text: String) {
        #expect(text.escapedForDisplay == text)
    }

    @Test("random text comes out without a single control character", arguments: 0..<200 as Range<UInt64>)
    func property(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var text = ""
        for _ in 0..<40 {
            let range: ClosedRange<UInt32> = Bool.random(using: &generator) ? 0...0xFF : 0x2000...0x206F
            Unicode.Scalar(UInt32.random(in: range, using: &generator)).map { text.unicodeScalars.append($0) }
        }
        for scalar in text.escapedForDisplay.unicodeScalars {
            let isBad =
                scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x200B...0x200F).contains(scalar.value)
                || (0x2028...0x202E).contains(scalar.value) || (0x2060...0x206F).contains(scalar.value)
            #expect(!isBad || scalar.value == 0x2065, "U+\(String(scalar.value, radix: 16)) got through")
        }
    }
}
