// A command's table: what it is called with, and how the words become its values.

/// A command whose values are kept in `Values`.
package struct CommandDefinition<Values> {
    package var name: String
    package var aliases: [String] = []
    package var summary: String
    package var synopses: [String]
    package var introduction: [String] = []
    package var operands: [Operand<Values>] = []
    package var rest: RestOperand<Values>?
    package var optionGroups: [(title: String, options: [Option<Values>])]
    package var rules: [OptionRule] = []
    package var sections: [ManualSection] = []
    package var examples: [Example] = []
    package var isHidden = false

    package init(
        name: String, aliases: [String] = [], summary: String, synopses: [String], introduction: [String] = [],
        operands: [Operand<Values>] = [], rest: RestOperand<Values>? = nil,
        optionGroups: [(title: String, options: [Option<Values>])], rules: [OptionRule] = [],
        sections: [ManualSection] = [], examples: [Example] = [], isHidden: Bool = false
    ) {
        self.name = name
        self.aliases = aliases
        self.summary = summary
        self.synopses = synopses
        self.introduction = introduction
        self.operands = operands
        self.rest = rest
        self.optionGroups = optionGroups
        self.rules = rules
        self.sections = sections
        self.examples = examples
        self.isHidden = isHidden
    }

    /// The command as plain data; `defaults` are the values that it has when nothing is given.
    package func description(defaults: Values) -> CommandDescription {
        let groups = optionGroups.map { title, options in
            OptionGroup(title: title, options: options.map { $0.description(defaults: defaults) })
        }
        return CommandDescription(
            name: name, aliases: aliases, summary: summary, synopses: synopses, introduction: introduction,
            operands: operands.map(\.description), rest: rest?.description, optionGroups: groups, rules: rules,
            sections: sections, examples: examples, isHidden: isHidden)
    }

    /// What the words of a command line ask for.
    package enum Request {
        case run(Values)
        case help(HelpLength)
    }

    /// Reads `words`, all that was given but the command's own name, into a copy of `defaults`.
    ///
    /// An environment variable stands in for an option that isn't given. Parsing only stores values: it opens no file
    /// and asks no clock.
    package func parse(
        _ words: [Word], environment: [String: String], defaults: Values
    ) throws(UsageError) -> Request {
        do {
            return try request(words, environment: environment, defaults: defaults)
        } catch {
            throw UsageError(error.message, command: name)
        }
    }

    private func request(
        _ words: [Word], environment: [String: String], defaults: Values
    ) throws(UsageError) -> Request {
        var values = defaults
        let options = optionGroups.flatMap { $0.options }
        var given: Set<Int> = []
        var texts: [String] = []
        var hasRest = false
        for token in try Lexer(options: options).tokens(of: words) {
            switch token {
            case .option(let spelling, let text):
                guard let index = options.firstIndex(where: { $0.description.spellings.contains(spelling) }) else {
                    continue
                }
                if options[index].description.spellings.contains("--help") { return .help(HelpLength(spelling)) }
                given.insert(index)
                let text = text ?? ""
                guard options[index].store(text, &values) else {
                    let complaint = options[index].complaint?(text).map { "\(spelling): \($0)" }
                    throw UsageError(complaint ?? Self.mismatch(spelling, options[index].expectation(), text))
                }
            case .operand(let text):
                texts.append(text)
            case .rest(var words):
                if let rest {
                    // An operand that looks like an option can only stand here.
                    if texts.isEmpty, !operands.isEmpty, let word = words.first, word.first == UInt8(ascii: "-") {
                        texts.append(try Lexer.text(words.removeFirst()))
                        if words.isEmpty { continue }
                        guard words.removeFirst() == Array("--".utf8) else {
                            throw UsageError("\(rest.description.placeholder) goes after another --")
                        }
                    }
                    // As of a script's unset variable.
                    if words.isEmpty { throw UsageError("\(rest.description.placeholder) is missing after --") }
                    values[keyPath: rest.path()] = words
                    hasRest = true
                } else {
                    for word in words { texts.append(try Lexer.text(word)) }
                }
            }
        }
        try store(operands: texts, into: &values)
        try check(options: given.map { options[$0] }, operandCount: texts.count, hasRest: hasRest)
        for (index, option) in options.enumerated() where !given.contains(index) {
            try store(option, from: environment, into: &values)
        }
        return .run(values)
    }

    private func store(operands texts: [String], into values: inout Values) throws(UsageError) {
        for (index, text) in texts.enumerated() {
            guard let operand = operand(at: index) else {
                let unit =
                    ["ms", "s", "sec", "m", "min", "h"].contains(text) ? "; a time is one word, such as 5m" : nil
                let hint = unit ?? rest.map { "; \($0.description.placeholder) goes after --" } ?? ""
                throw UsageError("unexpected operand \"\(text.escapedForDisplay)\"\(hint)")
            }
            guard operand.store(text, &values) else {
                throw UsageError(
                    operand.complaint(text)
                        ?? Self.mismatch(operand.description.placeholder, operand.expectation(), text))
            }
        }
        if texts.count < operands.count, !operands[texts.count].description.isOptional {
            throw UsageError("\(operands[texts.count].description.placeholder) is missing")
        }
    }

    /// Refuses what the rows say doesn't go together.
    private func check(options: [Option<Values>], operandCount: Int, hasRest: Bool) throws(UsageError) {
        guard !rules.isEmpty else { return }
        var given = Set(options.flatMap { $0.description.spellings })
        given.formUnion(operands.prefix(operandCount).map { $0.description.placeholder })
        if hasRest, let rest { given.insert(rest.description.placeholder) }
        for rule in rules {
            if let fault = rule.fault(in: given) { throw UsageError(fault) }
        }
    }

    /// The operand that the word at `index` is meant for.
    private func operand(at index: Int) -> Operand<Values>? {
        if operands.indices.contains(index) { return operands[index] }
        return operands.last.flatMap { $0.description.isRepeatable ? $0 : nil }
    }

    private func store(
        _ option: Option<Values>, from environment: [String: String], into values: inout Values
    ) throws(UsageError) {
        for variable in option.description.environment {
            guard let text = environment[variable], !text.isEmpty else { continue }
            guard (option.storeFromEnvironment ?? option.store)(text, &values) else {
                throw UsageError("the environment variable \(variable) must be \(option.expectation())")
            }
            return
        }
    }

    private static func mismatch(_ what: String, _ expectation: String, _ text: String) -> String {
        "\(what) must be \(expectation), not \"\(text.escapedForDisplay)\""
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
    /// A lexer that knows the spellings of `options`.
    package init<Values>(options: [Option<Values>]) {
        self.init(descriptions: options.map { $0.description })
    }

    /// A lexer that knows the spellings of the options described.
    package init(descriptions: [OptionDescription]) {
        self.init(spellings: descriptions.flatMap { $0.spellings }) { spelling in
            descriptions.first { $0.spellings.contains(spelling) }.map(\.shape)
        }
    }
}
