// Which options go together: rows that the parser checks and the manual shows.

/// A row that says of options and operands that they exclude each other, or that they mean nothing without another.
///
/// An option is named by its long spelling (`--jobs`), an operand by its placeholder (`QUEUE`). What stands in the
/// environment isn't given: rows are about what somebody has typed.
package struct OptionRule: Equatable {
    /// What a row says of its subjects.
    package enum Relation: Equatable {
        /// None of the others may be given too.
        case excludes
        /// One of the others must be given too.
        case needs
    }

    package var subjects: [String]
    package var relation: Relation
    package var others: [String]
    /// Why, in lower case, without a full stop; nil where that goes without saying.
    package var reason: String?

    /// None of `subjects` goes together with any of `others`.
    package static func row(_ subjects: String..., excludes others: String..., because reason: String? = nil) -> Self {
        Self(subjects: subjects, relation: .excludes, others: others, reason: reason)
    }

    /// Each of `subjects` needs one of `others`.
    package static func row(_ subjects: String..., needs others: String..., because reason: String? = nil) -> Self {
        Self(subjects: subjects, relation: .needs, others: others, reason: reason)
    }

    /// What is wrong with a command line on which `given` stands, all spellings of each option; nil when nothing is.
    func fault(in given: [String]) -> String? {
        guard let subject = subjects.first(where: given.contains) else { return nil }
        let other = others.first(where: given.contains)
        let tail = reason.map { ": \($0)" } ?? ""
        switch relation {
        case .excludes: return other.map { "\(subject) and \($0) exclude each other\(tail)" }
        case .needs: return other == nil ? "\(subject) needs \(others.alternatives)\(tail)" : nil
        }
    }

    /// What the row says of the option or operand that has one of `names`, as a sentence; nil when it says nothing.
    func sentence(about names: [String]) -> String? {
        if names.contains(where: subjects.contains) {
            return relation == .excludes
                ? "Excludes \(Self.marked(others).conjunction)."
                : "Only together with \(Self.marked(others).alternatives)."
        }
        guard relation == .excludes, names.contains(where: others.contains) else { return nil }
        return "Excludes \(Self.marked(subjects).conjunction)."
    }

    private static func marked(_ names: [String]) -> [String] {
        names.map { $0.hasPrefix("-") ? "`\($0)`" : $0 }
    }
}
