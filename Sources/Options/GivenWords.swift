// What stands on a command line, before any of it becomes a value.

/// The words of a command line, each taken for what the command's table says it is.
///
/// It knows nothing of the command's values: what is generic over them is compiled for all of them at once, and takes
/// three times as long.
struct GivenWords {
    /// The options, in their order: which of the table's it is, how it was spelled, and its text, empty for a switch.
    private(set) var options: [(index: Int, spelling: String, text: String)] = []
    private(set) var operands: [String] = []
    /// The words after `--`, for a command that takes them.
    private(set) var rest: [Word]?
    /// Which help was asked for. What stands behind that isn't read.
    private(set) var help: HelpLength?

    /// Of the command's table.
    private let optionRows: [OptionDescription]
    private let operandRows: [OperandDescription]
    private let restRow: OperandDescription?

    init(
        _ words: [Word], options: [OptionDescription], operands: [OperandDescription], rest: OperandDescription?
    ) throws(UsageError) {
        (optionRows, operandRows, restRow) = (options, operands, rest)
        for token in try Lexer(descriptions: options).tokens(of: words) {
            switch token {
            case .option(let spelling, let text):
                guard let index = options.firstIndex(where: { $0.spellings.contains(spelling) }) else { continue }
                if options[index].spellings.contains("--help") {
                    help = HelpLength(spelling)
                    return
                }
                self.options.append((index, spelling, text ?? ""))
            case .operand(let text):
                self.operands.append(text)
            case .rest(var words):
                guard let rest else {
                    for word in words { self.operands.append(try Lexer.text(word)) }
                    continue
                }
                // An operand that looks like an option can only stand here.
                if self.operands.isEmpty, !operands.isEmpty, let word = words.first, word.first == UInt8(ascii: "-") {
                    self.operands.append(try Lexer.text(words.removeFirst()))
                    if words.isEmpty { continue }
                    guard words.removeFirst() == Array("--".utf8) else {
                        throw UsageError("\(rest.placeholder) goes after another --")
                    }
                }
                // As of a script's unset variable.
                if words.isEmpty { throw UsageError("\(rest.placeholder) is missing after --") }
                self.rest = words
            }
        }
    }

    /// What isn't given, and may stand in the environment: indices of options.
    var replaceableOptions: [Int] {
        optionRows.indices.filter { index in
            !optionRows[index].environment.isEmpty && !options.contains { $0.index == index }
        }
    }

    /// What the rows say doesn't go together, nil where all does.
    func fault(by rules: [OptionRule]) -> String? {
        // So few that looking at each is quicker than a set is made.
        var given = options.flatMap { optionRows[$0.index].spellings }
        given += operandRows.prefix(operands.count).map(\.placeholder)
        if rest != nil, let restRow { given.append(restRow.placeholder) }
        for rule in rules {
            if let fault = rule.fault(in: given) { return fault }
        }
        return nil
    }
}

extension OptionDescription {
    /// A placeholder in brackets stands for a number that may be left out.
    fileprivate var shape: Lexer.Shape {
        guard let placeholder else { return .flag }
        return placeholder.hasPrefix("[") ? .optionalNumber : .value
    }
}

extension Lexer {
    /// A lexer that knows the spellings of the options described.
    package init(descriptions: [OptionDescription]) {
        self.init(spellings: descriptions.flatMap { $0.spellings }) { spelling in
            descriptions.first { $0.spellings.contains(spelling) }.map(\.shape)
        }
    }
}
