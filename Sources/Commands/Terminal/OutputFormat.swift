// The formats that lists are written in.

import JSON
import Management
import Options

/// How rows are written to standard output.
enum OutputFormat: String, CaseIterable {
    /// Aligned, for people.
    case table
    /// rabbitmqctl's: separated by tabs.
    case tsv
    case csv
    /// One array of objects.
    case json
    /// An object a line.
    case ndjson
    /// The text format of Prometheus.
    case prometheus

    /// What is written when nothing is said: a table to a terminal, and to anything else what scripts can split.
    static func usual(isTerminal: Bool) -> OutputFormat { isTerminal ? .table : .tsv }
}

/// Rows of named columns, ready to be written.
struct OutputRows {
    var columns: [QueueColumn]
    /// Each begins with the columns' values; what follows isn't written.
    var rows: [[QueueValue]]
    /// What each row is about, for Prometheus; parallel to the rows.
    var labels: [[(name: String, value: String)]] = []

    /// The whole text in a format. JSON names its columns in each object and has no header.
    /// A table is made for a terminal where there is one.
    func text(_ format: OutputFormat, hasHeader: Bool, on terminal: OutputTable.Terminal? = nil) -> [UInt8] {
        switch format {
        case .table: Array(OutputTable(self, hasHeader: hasHeader, on: terminal).text.utf8)
        case .tsv: separated(by: "\t", hasHeader: hasHeader) { $0.escapedForTabs }
        case .csv: separated(by: ",", hasHeader: hasHeader) { $0.escapedForDisplay.quotedForCSV }
        case .json: json(between: ",\n", before: "[", after: "]\n")
        case .ndjson: json(between: "\n", before: "", after: rows.isEmpty ? "" : "\n")
        case .prometheus: prometheus
        }
    }

    // MARK: - Text

    private func separated(by separator: String, hasHeader: Bool, _ escape: (String) -> String) -> [UInt8] {
        var text: [UInt8] = []
        if hasHeader { text.appendRow(columns, separatedBy: separator) { $0.name } }
        for row in rows { text.appendRow(row.prefix(columns.count), separatedBy: separator) { escape($0.text) } }
        return text
    }

    // MARK: - JSON

    private func json(between: String, before: String, after: String) -> [UInt8] {
        var text = Array(before.utf8)
        for (number, row) in rows.enumerated() {
            if number > 0 { text += between.utf8 }
            text.appendJSONObject(zip(columns, row).map { ($0.name, $1) })
        }
        return text + Array(after.utf8)
    }
}

extension QueueColumn {
    /// Numbers stand below each other.
    var isRightAligned: Bool { kind.isNumeric }
}

extension QueueValue {
    /// The value as text, not escaped: `-` where nothing is known, JSON where it has a structure.
    var text: String {
        switch self {
        case .unknown: "-"
        case .integer(let value): String(value)
        case .number(let value): value.shortText
        case .text(let value): value
        case .flag(let value): "\(value)"
        case .list, .table:
            String(decoding: [UInt8]().appendingJSON(self), as: UTF8.self)
        }
    }
}

extension Double {
    /// Without a fraction where there is none, else as short as it reads back.
    var shortText: String { self == rounded() && abs(self) < 1e15 ? "\(Int(self))" : "\(self)" }
}

extension [UInt8] {
    /// Appends a line of cells.
    fileprivate mutating func appendRow<Cell>(
        _ cells: some Collection<Cell>, separatedBy separator: String, _ text: (Cell) -> String
    ) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { self += separator.utf8 }
            self += text(cell).utf8
        }
        append(UInt8(ascii: "\n"))
    }

    /// Appends an object whose keys keep their order.
    mutating func appendJSONObject(_ members: [(key: String, value: QueueValue)]) {
        appendJSONObject(members) { json, member in
            json.appendJSON(displayable: member.key)
            json.append(UInt8(ascii: ":"))
            json.appendJSON(member.value)
        }
    }

    mutating func appendJSON(_ value: QueueValue) {
        switch value {
        case .unknown: appendJSON("null")
        case .integer(let value): appendJSON(value)
        case .number(let value): append(contentsOf: value.isFinite ? Array(value.shortText.utf8) : Array("null".utf8))
        case .text(let value): appendJSON(displayable: value)
        case .flag(let value): append(contentsOf: "\(value)".utf8)
        case .list(let values): appendJSONArray(values) { $0.appendJSON($1) }
        case .table(let table):
            appendJSONObject(table.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }
    }

    fileprivate func appendingJSON(_ value: QueueValue) -> [UInt8] {
        var copy = self
        copy.appendJSON(value)
        return copy
    }

    /// Appends a text in quotes. What could reverse or hide text on a terminal is escaped, as well as what JSON asks
    /// for.
    mutating func appendJSON(displayable text: String) {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }),
            text.unicodeScalars.contains(where: { $0.value >= 0x80 && $0.isUnsafeToDisplay })
        else { return appendJSON(text: Array(text.utf8)) }
        append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            if scalar.value >= 0x80, scalar.isUnsafeToDisplay {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    append(contentsOf: "\\u".utf8)
                    append(contentsOf: String(repeating: "0", count: 4 - digits.count).utf8)
                    append(contentsOf: digits.utf8)
                }
            } else {
                var quoted: [UInt8] = []
                quoted.appendJSON(text: Array(String(scalar).utf8))
                append(contentsOf: quoted.dropFirst().dropLast())
            }
        }
        append(UInt8(ascii: "\""))
    }
}

extension String {
    /// The text for a field between tabs: what would end the field or the line is escaped as in C, and so is the
    /// backslash, so that the text can be had back.
    fileprivate var escapedForTabs: String {
        // Nearly all text is plain, and asking Unicode for a character's category takes long.
        let isPlain = utf8.withContiguousStorageIfAvailable { bytes in
            bytes.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
        }
        if isPlain ?? false { return self }
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\t": result += "\\t"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            default: result += String(scalar).escapedForDisplay
            }
        }
        return result
    }

    /// The text for a field between commas, without line breaks.
    var quotedForCSV: String {
        // By scalars: a combining mark behind a comma must not hide it.
        let scalars = unicodeScalars
        guard scalars.contains(where: { $0 == "," || $0 == "\"" }) || scalars.first == " " || scalars.last == " " else {
            return self
        }
        return "\"" + replacing(["\"": "\"\""]) + "\""
    }
}
