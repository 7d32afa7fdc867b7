// "Did you mean": finds the known word nearest to a mistyped one.

/// Finds a likely intended word.
package enum Suggestion {
    /// The candidate that is fewest edits away from `word`, or nil when none is close enough to be meant.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        let word = word.lowercased()
        let letters = word.filter { $0 != "-" }.count
        // One edit turns any single letter into any other, so there only the case may differ.
        let limit = letters < 2 ? 0 : max(1, letters / 3)
        let ranked = candidates.map { (candidate: $0, distance: distance(word, $0.lowercased())) }
        let best = ranked.min { $0.distance < $1.distance }
        return best.flatMap { $0.distance <= limit ? $0.candidate : nil }
    }

    /// The number of single-character insertions, deletions, replacements and swaps of neighbours between two words.
    static func distance(_ first: String, _ second: String) -> Int {
        let first = Array(first)
        let second = Array(second)
        var beforePrevious: [Int] = []
        var previous = Array(0...second.count)
        for (row, character) in first.enumerated() {
            var current = [row + 1]
            for (column, other) in second.enumerated() {
                let replacement = previous[column] + (character == other ? 0 : 1)
                var best = min(replacement, previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, character == second[column - 1], other == first[row - 1] {
                    best = min(best, beforePrevious[column - 1] + 1)
                }
                current.append(best)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[second.count]
    }
}
