// Regular expressions: what they match, what is refused, and that no text takes them for ever.

import TestSupport
import Testing

@testable import Posix

@Suite("Regular expressions") struct RegularExpressionTests {
    @Test(
        "they match anywhere, by characters, and anchors tie them to the ends",
        arguments: [
            ("b", "abc", true), ("^b", "abc", false), ("c$", "abc", true), ("^abc$", "abc", true), ("x|c", "abc", true),
            ("^(x|c)", "abc", false), ("^a|x", "za", false), ("^a|x", "zx", true), ("^.{2}$", "é€", true),
            ("^[éö]$", "ö", true), ("[éö]", "Ã", false), ("a.c", "a\nc", true), ("[]x]", "]", true),
            ("[^]x]", "]", false),
            ("[[:digit:]]{2}", "a12", true), ("[)(]", "(", true), ("\\.", "ab", false), ("\\(", "(", true),
            ("^$", "", true),
            ("b", "a\0b", true), ("^a$", "a\0b", false), ("a{0}b", "b", true), ("()", "x", true),
            ("e$", "e\u{301}", false),
        ])
    func matching(pattern: String, text: String, matches: Bool) throws {
        #expect(try RegularExpression(pattern).matches(text) == matches)
    }

    @Test(
        "what isn't one, or would be read in different ways, is refused",
        arguments: [
            ("", "empty"), ("(", "nmatched ("), ("a)b", "closes nothing"), ("*a", "nvalid"), ("a{2", "nmatched"),
            ("[a", "nmatched"), ("[[:foo:]]", "class"), ("[b-a]", "range"), ("(?:a)", "nvalid"),
            ("\\d+", "\\d means nothing"),
            ("(a)\\1", "\\1 means nothing"), ("a\\", "backslash"), ("a\0b", "NUL"),
            ("((a{100}){100}){100}", "repetitions"), ("a{30000}", "repetitions"),
            ("a*{,5}", "can't be counted"), ("(a*){2}", "can't be counted"), ("((a{,9}){,9}){,9}", "can't be counted"),
            (String(repeating: "(a|b?)*", count: 13), "too many"), ("((a*)*b){1,13}", "too many"),
            (String(repeating: "(", count: 20) + "a" + String(repeating: "?)*", count: 20), "too many"),
            ("a+*+*+*+*+*", "too many"), ("%+***++*+%+**+*+", "too many"), ("(a|b?|c){2,}", "can't be counted"),
            ("()^{3}", "can't be counted"), ("(x|(y)?){,7}z", "can't be counted"),
            (String(repeating: "(", count: 60_000), "too many parentheses"),
        ])
    func faults(pattern: String, reason: String) {
        let fault = #expect(throws: RegularExpression.Fault.self) { try RegularExpression(pattern) }
        #expect(fault?.reason.contains(reason) == true, "\(pattern.prefix(20)): \(String(describing: fault))")
    }

    @Test(
        "an expression is compiled in no time, or refused", .timeLimit(.minutes(1)),
        arguments: [
            "(a{0,90}b){0,90}", "((a?b){1,70}){1,70}", "((((((((((a*)*)*)*)*)*)*)*)*)*)*", "a{200}b{200}[cd]{9000}",
            String(repeating: "a?", count: 2_000), String(repeating: "(a|b?)*", count: 12),
            String(repeating: "(", count: 12) + "a" + String(repeating: "?)*", count: 12),
        ])
    func compiling(pattern: String) throws {
        #expect(try !RegularExpression("^(\(pattern))#$").matches("aab"))
    }

    @Test(
        "Q9 a hostile text takes time as its length does",
        .timeLimit(.minutes(1)),
        arguments: ["(a*)*b", "(a|aa)+$b", "a.*a.*a.*a.*a.*a.*y$", "(a+)+x$", "^(([a-z])+.)+[A-Z]([a-z])+$"])
    func hostile(pattern: String) throws {
        #expect(try !RegularExpression(pattern).matches(String(repeating: "aé", count: 100_000)))
    }
}
