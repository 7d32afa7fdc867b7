// Prometheus' text format, as node_exporter's textfile collector reads it too.

import Management

extension OutputRows {
    /// A gauge for each column of numbers, with a sample for each row of which the number is known. Samples have no
    /// time: it is that of reading.
    var prometheus: [UInt8] {
        let labels = labels.map { labels in
            "{" + labels.map { "\($0.name)=\"\($0.value.escapedForLabel)\"" }.joined(separator: ",") + "}"
        }
        var text = ""
        for (index, column) in columns.enumerated() where column.kind.isNumeric {
            let name = "workq_queue_\(column.name)"
            text += "# HELP \(name) \(column.meaning.filter { $0 != "`" })\n# TYPE \(name) gauge\n"
            for (row, labels) in zip(rows, labels) {
                guard let number = row[index].number else { continue }
                text += "\(name)\(labels) \(number.shortText)\n"
            }
        }
        return Array(text.utf8)
    }
}

extension String {
    /// A label's value between quotes. What could move the cursor is escaped as in the other formats for people.
    fileprivate var escapedForLabel: String {
        escapedForDisplay.replacing(["\\": "\\\\", "\"": "\\\""])
    }
}
