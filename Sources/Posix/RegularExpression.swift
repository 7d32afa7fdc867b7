// Regular expressions whose time grows with the text only, so that no text can hold a program up.

/// A POSIX extended regular expression, as egrep has it, that may match anywhere in a text.
///
/// The system's matcher follows all ways through a text at once instead of trying one after the other. Only back
/// references would need that, and they are refused. Nor is it left to try each place of the text: the expression is
/// compiled as the end of one that begins at the start.
package final class RegularExpression {
    /// Why a text is no regular expression.
    package struct Fault: Error, Equatable {
        /// Lower case, without a full stop.
        package var reason: String
    }

    package let text: String
    /// Freed with this object, and used by nobody else.
    private let pattern: OpaquePointer

    package init(_ text: String) throws(Fault) {
        try Self.check(text)
        // Alone first: what is wrong with it must not be mended by what stands around it.
        workq_pattern_free(try Self.compile(text))
        pattern = try Self.compile("^.*(\(text))")
        self.text = text
    }

    deinit {
        workq_pattern_free(pattern)
    }

    /// Whether it matches somewhere in `text`, with time that grows as the text does.
    package func matches(_ text: String) -> Bool {
        // C's texts end at a NUL, and this one doesn't.
        guard text.utf8.contains(0) else { return workq_pattern_matches(pattern, text) }
        let scalars = text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }
        return workq_pattern_matches(pattern, String(String.UnicodeScalarView(scalars)))
    }

    private static func compile(_ text: String) throws(Fault) -> OpaquePointer {
        var problem: [CChar] = Array(repeating: 0, count: 200)
        if let pattern = workq_pattern_compile(text, &problem, problem.count) { return pattern }
        let reason = String(decoding: problem.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        throw Fault(reason: reason.prefix(1).lowercased() + reason.dropFirst())
    }

    // MARK: - What the system's compiler would take

    private static let depthLimit = 100
    /// Repetitions are compiled as copies, those within each other as copies of copies.
    private static let sizeLimit = 10_000
    /// Each repetition of what may be empty doubles the compiler's work.
    private static let emptyLoopLimit = 12

    /// Something that may be repeated.
    private struct Part {
        /// How many characters, brackets and anchors it is compiled as.
        var size = 1
        /// Whether it matches the empty text, too.
        var mayBeEmpty = false
        /// Repetitions in it of what may be empty.
        var emptyLoops = 0
    }

    /// What stands in parentheses, or the whole, as far as it is read.
    private struct Group {
        /// All but `last`, the alternatives before included.
        private var size = 0
        private var emptyLoops = 0
        private var alternativeMayBeEmpty = false
        private var sequenceMayBeEmpty = true
        private var last: Part?

        mutating func append(_ part: Part?) {
            size += last?.size ?? 0
            emptyLoops += last?.emptyLoops ?? 0
            sequenceMayBeEmpty = sequenceMayBeEmpty && last?.mayBeEmpty ?? true
            last = part
        }

        mutating func beginAlternative() {
            append(nil)
            alternativeMayBeEmpty = alternativeMayBeEmpty || sequenceMayBeEmpty
            sequenceMayBeEmpty = true
        }

        /// Repeats the last part for ever: as a loop, after as many copies as there must be.
        mutating func repeatLast(from least: Int) {
            guard let part = last else { return }
            last = Part(
                size: part.size * (least + 1), mayBeEmpty: part.mayBeEmpty || least == 0,
                emptyLoops: part.emptyLoops * (least + 1) + (part.mayBeEmpty ? 1 : 0))
        }

        /// Repeats the last part so many times.
        mutating func repeatLast(_ counts: ClosedRange<Int>) throws(Fault) {
            guard let part = last else { return }
            guard counts.upperBound <= 1 || !part.mayBeEmpty else {
                throw Fault(reason: "repetitions of what may be empty can't be counted")
            }
            let (size, overflow) = part.size.multipliedReportingOverflow(by: counts.upperBound)
            guard !overflow, size <= sizeLimit else { throw Fault(reason: "too many repetitions") }
            last = Part(
                size: size, mayBeEmpty: part.mayBeEmpty || counts.lowerBound == 0,
                emptyLoops: part.emptyLoops * counts.upperBound)
        }

        /// The whole of it as a part.
        var part: Part {
            var group = self
            group.beginAlternative()
            return Part(
                size: group.size, mayBeEmpty: group.alternativeMayBeEmpty, emptyLoops: group.emptyLoops)
        }
    }

    /// Refuses what systems understand in different ways, and what would take them all memory or the whole stack.
    private static func check(_ text: String) throws(Fault) {
        guard !text.isEmpty else { throw Fault(reason: "it is empty") }
        guard !text.utf8.contains(0) else { throw Fault(reason: "it holds a NUL") }
        var rest = Array(text.unicodeScalars)[...]
        var group = Group()
        var outer: [Group] = []
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\":
                guard let next = rest.popFirst() else { throw Fault(reason: "nothing follows its last backslash") }
                guard !next.isASCII || !next.properties.isAlphabetic && next.properties.numericType == nil else {
                    throw Fault(
                        reason: "\\\(next) means nothing in POSIX extended expressions; [0-9] and [[:space:]] do")
                }
                group.append(Part())
            case "[":
                rest = afterBrackets(rest)
                group.append(Part())
            case "(":
                guard outer.count < depthLimit else { throw Fault(reason: "too many parentheses") }
                outer.append(group)
                group = Group()
            case ")":
                let part = group.part
                guard let around = outer.popLast() else { throw Fault(reason: "a ) closes nothing") }
                group = around
                group.append(part)
            case "|": group.beginAlternative()
            case "?": try group.repeatLast(0...1)
            case "*": group.repeatLast(from: 0)
            case "+": group.repeatLast(from: 1)
            case "{":
                let bounds = rest.prefix { $0 != "}" }
                rest = rest.dropFirst(bounds.count + 1)
                let numbers = bounds.split(separator: ",", omittingEmptySubsequences: false)
                    .map { Int(String(String.UnicodeScalarView($0))) ?? 0 }
                let most = numbers.max() ?? 0
                try group.repeatLast(min(numbers.first ?? 0, most)...most)
            case "^", "$": group.append(Part(mayBeEmpty: true))
            default: group.append(Part())
            }
            guard group.part.size <= sizeLimit, group.part.emptyLoops <= emptyLoopLimit else {
                throw Fault(reason: "too many repetitions")
            }
        }
    }

    /// What follows a bracket expression; nothing where it has no end.
    private static func afterBrackets(_ text: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar> {
        var rest = text
        if rest.first == "^" { rest.removeFirst() }
        // In the first place, a bracket stands for itself.
        if rest.first == "]" { rest.removeFirst() }
        while let scalar = rest.popFirst(), scalar != "]" {
            guard scalar == "[", let kind = rest.first, [":", ".", "="].contains(kind) else { continue }
            rest.removeFirst()
            while let inner = rest.popFirst() {
                guard inner != kind || rest.first != "]" else { break }
            }
            rest = rest.dropFirst()
        }
        return rest
    }
}

extension RegularExpression: Equatable {
    package static func == (left: RegularExpression, right: RegularExpression) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }
}
