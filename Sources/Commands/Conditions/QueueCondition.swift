// Expressions as the values of options.

import Management
import Options
import Posix

/// A condition on queues, as somebody typed it.
struct QueueCondition: Equatable {
    let text: String
    let expression: QueueExpression
}

extension ValueFormat where Value == QueueCondition {
    /// An expression of columns.
    static var condition: Self {
        .expression("EXPRESSION") { text throws(ExpressionFault) in
            QueueCondition(text: text, expression: try QueueExpression(text))
        }
    }
}

extension ValueFormat {
    /// A text that `read` makes a value of, or says where it goes wrong.
    static func expression(
        _ placeholder: String, read: @escaping (String) throws(ExpressionFault) -> Value
    ) -> Self {
        var format = Self(placeholder, expectation: "an expression") { try? read($0) }
        format.complaint = { text in
            do throws(ExpressionFault) {
                _ = try read(text)
                return nil
            } catch {
                return "\"\(text)\" goes wrong at character \(error.position): \(error.reason)".escapedForDisplay
            }
        }
        return format
    }
}

extension ValueFormat where Value == RegularExpression {
    /// What `--match` takes: it may match anywhere in a queue's name.
    static var pattern: Self {
        var format = Self("REGEX", expectation: "a regular expression, such as ^mail\\.") {
            try? RegularExpression($0)
        }
        format.complaint = { text in
            do throws(RegularExpression.Fault) {
                _ = try RegularExpression(text)
                return nil
            } catch {
                return "\"\(text)\" is no regular expression: \(error.reason)".escapedForDisplay
            }
        }
        return format
    }
}
