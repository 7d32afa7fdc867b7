// Finding and replacing in texts. The standard library's own functions bring its regular expressions into the program,
// an eighth of it.

extension Collection where Element: Equatable {
    /// Where `other` first is; at the start where it is empty, nil where it isn't at all.
    package func range(of other: some Collection<Element>) -> Range<Index>? {
        var start = startIndex
        while true {
            if let end = self[start...].end(ofPrefix: other) { return start..<end }
            guard start != endIndex else { return nil }
            formIndex(after: &start)
        }
    }

    /// All places where `other` is, none of which overlaps the one before. It isn't empty.
    package func ranges(of other: some Collection<Element>) -> [Range<Index>] {
        var ranges: [Range<Index>] = []
        var rest = self[...]
        while let range = rest.range(of: other), !range.isEmpty {
            ranges.append(range)
            rest = rest[range.upperBound...]
        }
        return ranges
    }

    package func contains(_ other: some Collection<Element>) -> Bool { range(of: other) != nil }

    private func end(ofPrefix prefix: some Collection<Element>) -> Index? {
        var index = startIndex
        for element in prefix {
            guard index != endIndex, self[index] == element else { return nil }
            formIndex(after: &index)
        }
        return index
    }
}

extension StringProtocol {
    /// The text with `new` wherever `old` is, which isn't empty.
    package func replacing(_ old: some StringProtocol, with new: some StringProtocol) -> String {
        var result = ""
        var rest = self[...]
        while let range = rest.range(of: old), !range.isEmpty {
            result += rest[..<range.lowerBound]
            result += new
            rest = rest[range.upperBound...]
        }
        return result + rest
    }
}
