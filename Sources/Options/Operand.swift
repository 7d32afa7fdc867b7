// An operand, declared once as options are.

/// An operand as data.
package struct OperandDescription: Equatable {
    /// The name in help and manual, upper case: `QUEUE`.
    package var placeholder: String
    package var completion: Completion
    package var isOptional: Bool
    /// Whether it takes all operands from its place on; only the last one may.
    package var isRepeatable = false
    package var summary: String
}

/// An operand of a command whose values are kept in `Values`.
package struct Operand<Values> {
    package var description: OperandDescription
    let store: (_ text: String, _ values: inout Values) -> Bool
    let expectation: () -> String
    /// What to say of a text that doesn't fit, where there is more to say than what is accepted.
    let complaint: (String) -> String?

    package static func required<Value>(
        _ format: ValueFormat<Value>, into path: @autoclosure @escaping () -> WritableKeyPath<Values, Value>,
        _ summary: String
    ) -> Self {
        make(format, isOptional: false, summary) { $1[keyPath: path()] = $0 }
    }

    package static func optional<Value>(
        _ format: ValueFormat<Value>, into path: @autoclosure @escaping () -> WritableKeyPath<Values, Value?>,
        _ summary: String
    ) -> Self {
        make(format, isOptional: true, summary) { $1[keyPath: path()] = $0 }
    }

    /// Any number of operands, none included, kept in the order given; only a command's last operand may be one.
    package static func repeated<Value>(
        _ format: ValueFormat<Value>, appendingTo path: @autoclosure @escaping () -> WritableKeyPath<Values, [Value]>,
        _ summary: String
    ) -> Self {
        var operand = make(format, isOptional: true, summary) { $1[keyPath: path()].append($0) }
        operand.description.isRepeatable = true
        return operand
    }

    /// The same, at least one.
    package static func required<Value>(
        _ format: ValueFormat<Value>, appendingTo path: @autoclosure @escaping () -> WritableKeyPath<Values, [Value]>,
        _ summary: String
    ) -> Self {
        var operand = make(format, isOptional: false, summary) { $1[keyPath: path()].append($0) }
        operand.description.isRepeatable = true
        return operand
    }

    private static func make<Value>(
        _ format: ValueFormat<Value>, isOptional: Bool, _ summary: String,
        assign: @escaping (Value, inout Values) -> Void
    ) -> Self {
        Self(
            description: OperandDescription(
                placeholder: format.placeholder, completion: format.completion, isOptional: isOptional,
                summary: summary),
            store: { text, values in
                guard let value = format.parse(text) else { return false }
                assign(value, &values)
                return true
            },
            expectation: format.expectation, complaint: { format.complaint?($0) })
    }
}

/// The words after `--`, which a command takes byte for byte.
package struct RestOperand<Values> {
    package var description: OperandDescription
    let path: () -> WritableKeyPath<Values, [Word]>

    package init(
        _ placeholder: String, into path: @autoclosure @escaping () -> WritableKeyPath<Values, [Word]>,
        _ summary: String
    ) {
        self.description = OperandDescription(
            placeholder: placeholder, completion: .command, isOptional: true, summary: summary)
        self.path = path
    }
}
