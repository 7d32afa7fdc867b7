// JSON text that a terminal may show.

import JSON
import Testing

@Suite("JSON writer") struct JSONWriterTests {
    @Test(
        "control characters are escaped, those beyond ASCII too, and letters are left alone",
        arguments: [
            ("a\"\\\n\t\u{1b}\u{7f}", #""a\"\\\n\t\u001b\u007f""#), ("\u{80}\u{9b}x\u{9f}", #""\u0080\u009bx\u009f""#),
            ("é\u{a0}\u{97f}Ā日\u{1f680}", "\"é\u{a0}\u{97f}Ā日\u{1f680}\""), ("", "\"\""),
        ])
    func controls(text: String, json: String) {
        var bytes: [UInt8] = []
        bytes.appendJSON(text: Array(text.utf8))
        #expect(String(decoding: bytes, as: UTF8.self) == json)
    }
}
