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
    /// Made for the manual only: some list a whole table.
    package var sections: () -> [ManualSection]
    package var examples: [Example] = []
    package var isHidden = false

    package init(
        name: String, aliases: [String] = [], summary: String, synopses: [String], introduction: [String] = [],
        operands: [Operand<Values>] = [], rest: RestOperand<Values>? = nil,
        optionGroups: [(title: String, options: [Option<Values>])], rules: [OptionRule] = [],
        sections: @autoclosure @escaping () -> [ManualSection] = [], examples: [Example] = [], isHidden: Bool = false
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
            sections: sections(), examples: examples, isHidden: isHidden)
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
        _ words: [Word], environment: (_ variable: String) -> String?, defaults: Values
    ) throws(UsageError) -> Request {
        do {
            return try request(words, environment: environment, defaults: defaults)
        } catch {
            throw UsageError(error.message, command: name)
        }
    }

    private func request(
        _ words: [Word], environment: (_ variable: String) -> String?, defaults: Values
    ) throws(UsageError) -> Request {
        let given = try GivenWords(
            words, options: optionDescriptions, operands: operandDescriptions, rest: rest?.description)
        var values = defaults
        for (index, spelling, text) in given.options {
            let option = option(at: index)
            guard option.store(text, &values) else {
                let complaint = option.complaint?(text).map { "\(spelling): \($0)" }
                throw UsageError(complaint ?? Self.mismatch(spelling, option.expectation(), text))
            }
        }
        if let length = given.help { return .help(length) }
        try store(operands: given.operands, into: &values)
        if let rest, let words = given.rest { values[keyPath: rest.path()] = words }
        if let fault = given.fault(by: rules) { throw UsageError(fault) }
        for index in given.replaceableOptions { try store(option(at: index), from: environment, into: &values) }
        return .run(values)
    }

    // The loops go by numbers: what the standard library makes of generic collections of generic options, in code that
    // is compiled for all commands at once, takes longer than all of parsing.

    private var optionDescriptions: [OptionDescription] {
        var descriptions: [OptionDescription] = []
        for group in 0..<optionGroups.count {
            let options = optionGroups[group].options
            for index in 0..<options.count { descriptions.append(options[index].description) }
        }
        return descriptions
    }

    private var operandDescriptions: [OperandDescription] {
        var descriptions: [OperandDescription] = []
        for index in 0..<operands.count { descriptions.append(operands[index].description) }
        return descriptions
    }

    /// The option whose description is at `index` of all of them.
    private func option(at index: Int) -> Option<Values> {
        var (group, index) = (0, index)
        while index >= optionGroups[group].options.count {
            index -= optionGroups[group].options.count
            group += 1
        }
        return optionGroups[group].options[index]
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

    /// The operand that the word at `index` is meant for.
    private func operand(at index: Int) -> Operand<Values>? {
        if index < operands.count { return operands[index] }
        guard !operands.isEmpty, operands[operands.count - 1].description.isRepeatable else { return nil }
        return operands[operands.count - 1]
    }

    private func store(
        _ option: Option<Values>, from environment: (String) -> String?, into values: inout Values
    ) throws(UsageError) {
        for variable in option.description.environment {
            guard let text = environment(variable), !text.isEmpty else { continue }
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
