// An option, declared once: parser, help, manual and completions read the same declaration.

/// An option as data: all that help, manual and completions need to know.
package struct OptionDescription: Equatable {
    /// All spellings, short ones first: `["-j", "--jobs"]`.
    package var spellings: [String]
    /// nil for a switch.
    package var placeholder: String?
    package var completion: Completion
    /// What applies when the option is absent, as shown to people; nil where that goes without saying.
    package var defaultText: String?
    /// Environment variables that stand in for the option, the first that is set and not empty wins.
    package var environment: [String]
    package var isRepeatable: Bool
    /// One line, starting in lower case, without a full stop.
    package var summary: String
    /// More, for the manual; words in backquotes are literal.
    package var details: String?
}

extension OptionDescription {
    /// A switch that the parser's caller answers by itself.
    package static func standalone(_ spellings: String..., summary: String) -> OptionDescription {
        OptionDescription(
            spellings: spellings, placeholder: nil, completion: .none, defaultText: nil, environment: [],
            isRepeatable: false, summary: summary, details: nil)
    }
}

/// An option of a command whose values are kept in `Values`.
///
/// Key paths, and the words on what is expected, are made when they are needed: making a command's dozens of key paths
/// takes longer than parsing its words.
package struct Option<Values> {
    package var description: OptionDescription
    /// Stores the text of a value (empty for a switch); false when it doesn't fit the option's format.
    let store: (_ text: String, _ values: inout Values) -> Bool
    /// Where a value from the environment goes, when that isn't the place for one from the command line.
    var storeFromEnvironment: ((_ text: String, _ values: inout Values) -> Bool)?
    /// What a value must be, for the message when it doesn't fit.
    let expectation: () -> String
    /// What more there is to say of a value that doesn't fit, if there is more.
    var complaint: ((String) -> String?)?
    /// The default as the values have it, where the table doesn't say it in words of its own.
    var shownDefault: ((_ values: Values) -> String)?

    /// A switch: storing sets `path` to `value`.
    package static func flag<Value>(
        _ spellings: String..., sets path: @autoclosure @escaping () -> WritableKeyPath<Values, Value>, to value: Value,
        _ summary: String,
        details: String? = nil
    ) -> Self {
        let description = OptionDescription(
            spellings: spellings, placeholder: nil, completion: .none, defaultText: nil, environment: [],
            isRepeatable: false, summary: summary, details: details)
        return Self(
            description: description,
            store: { _, values in
                values[keyPath: path()] = value
                return true
            },
            expectation: { "" })
    }

    /// An option with a value; when it is given more than once, the last one counts. Help shows the default that its
    /// place has, unless `default` says it in other words.
    package static func value<Value>(
        _ spellings: String..., of format: ValueFormat<Value>,
        into path: @autoclosure @escaping () -> WritableKeyPath<Values, Value>,
        default defaultText: String? = nil, environment: [String] = [], _ summary: String, details: String? = nil
    ) -> Self {
        let description = OptionDescription(
            spellings, format, defaultText, environment, isRepeatable: false, summary: summary, details: details)
        var option = Self(description, format) { $1[keyPath: path()] = $0 }
        if defaultText == nil, let show = format.show { option.shownDefault = { show($0[keyPath: path()]) } }
        return option
    }

    /// An option with a value, stored where nil means that it wasn't given.
    package static func value<Value>(
        _ spellings: String..., of format: ValueFormat<Value>,
        into path: @autoclosure @escaping () -> WritableKeyPath<Values, Value?>,
        default defaultText: String? = nil, environment: [String] = [], _ summary: String, details: String? = nil
    ) -> Self {
        let description = OptionDescription(
            spellings, format, defaultText, environment, isRepeatable: false, summary: summary, details: details)
        return Self(description, format) { $1[keyPath: path()] = $0 }
    }

    /// An option with a value that may be given again and again; the values are kept in the order given.
    package static func values<Value>(
        _ spellings: String..., of format: ValueFormat<Value>,
        appendingTo path: @autoclosure @escaping () -> WritableKeyPath<Values, [Value]>,
        default defaultText: String? = nil, environment: [String] = [], _ summary: String, details: String? = nil
    ) -> Self {
        let description = OptionDescription(
            spellings, format, defaultText, environment, isRepeatable: true, summary: summary, details: details)
        return Self(description, format) { $1[keyPath: path()].append($0) }
    }

    /// `-h` and `--help`, which parsing answers by itself.
    package static var help: Self {
        Self(
            description: .standalone("-h", "--help", summary: "show help; -h is the short one"),
            store: { _, _ in true },
            expectation: { "" })
    }

    /// The same option, with a value from the environment kept apart: a command may have to know that nobody typed it.
    package func environment(into path: @autoclosure @escaping () -> WritableKeyPath<Values, String?>) -> Self {
        var option = self
        option.storeFromEnvironment = { text, values in
            values[keyPath: path()] = text
            return true
        }
        return option
    }

    /// The same option for a command that keeps these values as a part of its own.
    package func within<Outer>(_ path: @autoclosure @escaping () -> WritableKeyPath<Outer, Values>) -> Option<Outer> {
        var option = Option<Outer>(
            description: description, store: { store($0, &$1[keyPath: path()]) }, expectation: expectation,
            complaint: complaint)
        // `map` would look up types of functions for each option, which takes as long as parsing does.
        if let store = storeFromEnvironment { option.storeFromEnvironment = { store($0, &$1[keyPath: path()]) } }
        if let show = shownDefault { option.shownDefault = { show($0[keyPath: path()]) } }
        return option
    }

    /// The option as data, with the default that `defaults` have.
    func description(defaults: Values) -> OptionDescription {
        guard let shownDefault else { return description }
        var description = description
        description.defaultText = shownDefault(defaults)
        return description
    }
}

extension Option {
    private init<Value>(
        _ description: OptionDescription, _ format: ValueFormat<Value>,
        assign: @escaping (Value, inout Values) -> Void
    ) {
        self.init(
            description: description,
            store: { text, values in
                guard let value = format.parse(text) else { return false }
                assign(value, &values)
                return true
            },
            expectation: format.expectation, complaint: format.complaint)
    }
}

extension OptionDescription {
    fileprivate init<Value>(
        _ spellings: [String], _ format: ValueFormat<Value>, _ defaultText: String?, _ environment: [String],
        isRepeatable: Bool, summary: String, details: String?
    ) {
        self.init(
            spellings: spellings, placeholder: format.placeholder, completion: format.completion,
            defaultText: defaultText, environment: environment, isRepeatable: isRepeatable, summary: summary,
            details: details)
    }
}
