// The rules that tables keep so that help, manual and completions come out right, for a test over the real tables.

import Text

extension ToolDescription {
    /// What is wrong with the tables, one sentence for each fault; empty when all is well.
    package var faults: [String] {
        var faults = optionFaults(options, of: name) + textFaults(summary, where: "the summary of \(name)")
        faults += introduction.flatMap { markupFaults($0, where: "the introduction of \(name)") }
        faults += sectionFaults(sections, of: name) + exampleFaults(examples, of: name)
        faults += exitStatuses.flatMap { markupFaults($0.meaning, where: "exit status \($0.status)") }
        faults += repeated(commands.flatMap(\.names)).map { "two commands are called \($0)" }
        faults += repeated(exitStatuses.map(\.status)).map { "exit status \($0) stands twice in the table" }
        faults += commands.flatMap(self.faults)
        return faults + shapeFaults
    }

    // MARK: - Commands and options

    private func faults(of command: CommandDescription) -> [String] {
        let name = command.name
        var faults = command.names.filter { !$0.isName(separators: "-_") }.map { "\($0) is no name for a command" }
        faults += textFaults(command.summary, where: "the summary of \(name)")
        faults += command.introduction.flatMap { markupFaults($0, where: "the introduction of \(name)") }
        faults += optionFaults(command.options, of: name) + sectionFaults(command.sections, of: name)
        faults += command.optionGroups.filter(\.options.isEmpty).map { "\(name): the group \($0.title) has no options" }
        faults += operandFaults(command) + synopsisFaults(command) + ruleFaults(command)
        return faults + exampleFaults(command.examples, of: name)
    }

    private func exampleFaults(_ examples: [Example], of owner: String) -> [String] {
        examples.flatMap { example in
            sentenceFaults(example.purpose, where: "an example of \(owner)")
                + unknownOptions(in: example.script.toolCalls(of: name), where: "an example of \(owner)")
        }
    }

    private func operandFaults(_ command: CommandDescription) -> [String] {
        var faults: [String] = []
        for operand in command.operands + (command.rest.map { [$0] } ?? []) {
            let place = "\(command.name) \(operand.placeholder)"
            faults += textFaults(operand.summary, where: "the summary of \(place)")
            faults += placeholderFaults(operand.placeholder, where: place)
            if !command.synopses.contains(where: { $0.mentions(operand.placeholder) }) {
                faults.append("no synopsis of \(command.name) mentions \(operand.placeholder)")
            }
        }
        for (operand, next) in zip(command.operands, command.operands.dropFirst()) {
            if operand.isRepeatable {
                faults.append("\(command.name) \(operand.placeholder) leaves no operand to others")
            }
            if operand.isOptional, !next.isOptional {
                faults.append("\(command.name): \(next.placeholder) can't be required behind \(operand.placeholder)")
            }
        }
        return faults
    }

    private func synopsisFaults(_ command: CommandDescription) -> [String] {
        guard !command.synopses.isEmpty else { return ["\(command.name) has no synopsis"] }
        return command.synopses.flatMap { synopsis in
            var faults = unknownOptions(in: synopsis, where: "a synopsis of \(command.name)")
            if synopsis.split(separator: " ").first.map(String.init) != command.name {
                faults.append("a synopsis of \(command.name) starts with another word: \(synopsis)")
            }
            if synopsis.filter({ $0 == "[" }).count != synopsis.filter({ $0 == "]" }).count {
                faults.append("a synopsis of \(command.name) has unbalanced brackets: \(synopsis)")
            }
            return faults
        }
    }

    private func ruleFaults(_ command: CommandDescription) -> [String] {
        let operands = command.operands + (command.rest.map { [$0] } ?? [])
        let known = Set(command.options.compactMap(\.spellings.last) + operands.map(\.placeholder))
        return command.rules.flatMap { $0.subjects + $0.others }.filter { !known.contains($0) }
            .map { "a row of \(command.name) names \($0), which it doesn't have" }
    }

    private func optionFaults(_ options: [OptionDescription], of owner: String) -> [String] {
        repeated(options.flatMap(\.spellings)).map { "\(owner) has two options spelled \($0)" }
            + options.flatMap { faults(of: $0, owner: owner) }
    }

    private func faults(of option: OptionDescription, owner: String) -> [String] {
        let place = "\(owner) \(option.spellings.last ?? "")"
        let misspelled = option.spellings.filter { !$0.isOptionSpelling }
        var faults = misspelled.map { "\(owner): \($0) is no spelling of an option" }
        if !option.spellings.contains(where: { $0.hasPrefix("--") }) { faults.append("\(place) has no long spelling") }
        if option.spellings != option.spellings.shortOnesFirst { faults.append("\(place): short spellings go first") }
        faults += textFaults(option.summary, where: "the summary of \(place)")
        faults += option.details.map { markupFaults($0, where: "the details of \(place)") } ?? []
        faults += option.placeholder.map { placeholderFaults($0, where: place) } ?? []
        faults += option.environment.filter { !$0.isVariableName }.map { "\(place): \($0) is no environment variable" }
        if option.defaultText?.isEmpty ?? false { faults.append("\(place): the default's text is empty") }
        return faults
    }

    /// Options may stand before the command, where nobody knows yet whose they are: so all commands must agree on
    /// which of them take a value.
    private var shapeFaults: [String] {
        let all = options + commands.flatMap(\.options)
        let switches = Set(all.filter { $0.placeholder == nil }.flatMap(\.spellings))
        let others = Set(all.filter { $0.placeholder != nil }.flatMap(\.spellings))
        return switches.intersection(others).sorted().map { "\($0) takes a value in one command and none in another" }
    }

    // MARK: - Texts

    private func sectionFaults(_ sections: [ManualSection], of owner: String) -> [String] {
        sections.flatMap { section in
            let texts = section.paragraphs + section.terms.flatMap { [$0.term, $0.meaning] }
            return texts.flatMap { markupFaults($0, where: "the section \(section.title) of \(owner)") }
        }
    }

    private func placeholderFaults(_ placeholder: String, where place: String) -> [String] {
        let isFine = placeholder.contains(where: \.isUppercase) && !placeholder.contains(where: \.isLowercase)
        return isFine ? [] : ["\(place): the placeholder \(placeholder) isn't upper case"]
    }

    /// A summary is one short line that fits behind a name: no capital, no full stop.
    private func textFaults(_ summary: String, where place: String) -> [String] {
        var faults = sentenceFaults(summary, where: place)
        // Two capitals are an acronym's.
        let isWord = summary.dropFirst().first.map { $0.isLowercase || $0.isWhitespace } ?? true
        if summary.first?.isUppercase ?? false, isWord { faults.append("\(place) starts with a capital") }
        if summary.count > 100 { faults.append("\(place) has \(summary.count) characters, which is more than 100") }
        return faults
    }

    private func sentenceFaults(_ text: String, where place: String) -> [String] {
        var faults = markupFaults(text, where: place)
        if text.contains(where: \.isNewline) { faults.append("\(place) has more than one line") }
        if text.hasSuffix(".") { faults.append("\(place) ends in a full stop") }
        return faults
    }

    private func markupFaults(_ text: String, where place: String) -> [String] {
        var faults = unknownOptions(in: text, where: place)
        if text.allSatisfy(\.isWhitespace) { faults.append("\(place) is empty") }
        if !text.hasBalancedBackquotes { faults.append("\(place) has a backquote without a partner") }
        return faults
    }

    private func unknownOptions(in text: String, where place: String) -> [String] {
        let known = Set(options.flatMap(\.spellings) + commands.flatMap(\.options).flatMap(\.spellings))
        return text.mentionedOptions.filter { !known.contains($0) }
            .map { "\(place) mentions \($0), which no command has" }
    }

    private func repeated(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { !seen.insert($0).inserted }
    }
}

extension [String] {
    fileprivate var shortOnesFirst: [String] {
        filter { !$0.hasPrefix("--") } + filter { $0.hasPrefix("--") }
    }
}

extension String {
    private static let lowerCase: ClosedRange<Character> = "a"..."z"
    private static let digits: ClosedRange<Character> = "0"..."9"

    /// A small letter, then small letters, digits and the separators.
    fileprivate func isName(separators: String) -> Bool {
        guard let first, unicodeScalars.allSatisfy(\.isASCII), Self.lowerCase.contains(first) else { return false }
        return allSatisfy { Self.lowerCase.contains($0) || Self.digits.contains($0) || separators.contains($0) }
    }

    fileprivate var isOptionSpelling: Bool {
        if hasPrefix("--") { return String(dropFirst(2)).isName(separators: "-") }
        guard hasPrefix("-"), count == 2, let letter = last else { return false }
        return letter.isASCII && (letter.isLetter || letter.isNumber)
    }

    fileprivate var isVariableName: Bool {
        !isEmpty && unicodeScalars.allSatisfy(\.isASCII) && allSatisfy { $0.isUppercase || $0.isNumber || $0 == "_" }
            && first.map { !$0.isNumber } ?? false
    }

    /// Whether the text has `word` with no letter attached to it.
    fileprivate func mentions(_ word: String) -> Bool {
        ranges(of: word).contains { range in
            let before = self[..<range.lowerBound].last
            let after = self[range.upperBound...].first
            return !(before?.isLetter ?? false) && !(after?.isLetter ?? false)
        }
    }

    /// The long options in a text.
    fileprivate var mentionedOptions: [String] {
        ranges(of: "--").compactMap { range in
            let before = self[..<range.lowerBound].last
            guard !(before.map { $0.isLetter || $0.isNumber || $0 == "-" } ?? false) else { return nil }
            let name = self[range.upperBound...].prefix {
                Self.lowerCase.contains($0) || Self.digits.contains($0) || $0 == "-"
            }
            return name.first.map(Self.lowerCase.contains) ?? false ? "--" + name : nil
        }
    }

    /// The parts of a script that call `tool`, up to a pipe, the end of the command, or `--`: other programs have
    /// options of their own.
    fileprivate func toolCalls(of tool: String) -> String {
        let commands = replacing("\\\n", with: " ").split { "|;&\n".contains($0) }.map(String.init)
        return commands.compactMap { command in
            guard let start = command.range(of: tool + " ") else { return nil }
            let call = command[start.lowerBound...]
            return String(call[..<(call.range(of: " -- ")?.lowerBound ?? call.endIndex)])
        }.joined(separator: "\n")
    }
}
