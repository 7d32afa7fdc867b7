// The sections of a TOML document, as plain values.

import CTOML

/// What a configuration file says, by section and key.
struct ConfigDocument {
    /// A key's value, and the line that it stands in.
    struct Entry {
        var value: Value
        var line: Int
    }

    private(set) var sections: [String: [String: Entry]] = [:]
    /// What stands above any section.
    private(set) var strays: [String: Entry] = [:]
    /// nil before the first section.
    private var current: String?

    enum Value {
        case text(String)
        case number(Int64)
        case flag(Bool)
        /// nil stands for an item that is no text.
        case list([String?])
        /// A value of some other kind.
        case other

        /// Of a text or a list; other values have none.
        var texts: [String?] {
            switch self {
            case .text(let text): [text]
            case .list(let items): items
            default: []
            }
        }
    }

    /// The document is no TOML from that line on. What stands there is left unsaid: it may be a password.
    struct Invalid: Error {
        let line: Int
    }

    /// A document without sections.
    init() {}

    /// Reads TOML.
    init(toml text: String) throws(Invalid) {
        var text = text
        var document = ConfigDocument()
        let line = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bytes in
                guard let start = bytes.baseAddress else { return 0 }
                return withUnsafeMutablePointer(to: &document) { document in
                    workq_toml_read(
                        start, bytes.count,
                        { value, context in
                            context?.assumingMemoryBound(to: ConfigDocument.self).pointee.add(value.pointee)
                        }, document)
                }
            }
        }
        guard line == 0 else { throw Invalid(line: line) }
        self = document
    }

    private mutating func add(_ value: workq_toml_value) {
        let key = Self.text(value.key, value.key_length)
        switch value.kind {
        case WORKQ_TOML_SECTION:
            current = key
            sections[key] = [:]
        case WORKQ_TOML_TEXT: set(key, .text(Self.text(value.text, value.text_length)), value.line)
        case WORKQ_TOML_NUMBER: set(key, .number(value.number), value.line)
        case WORKQ_TOML_FLAG: set(key, .flag(value.number != 0), value.line)
        case WORKQ_TOML_LIST: set(key, .list([]), value.line)
        case WORKQ_TOML_TEXT_ITEM: append(Self.text(value.text, value.text_length), to: key)
        case WORKQ_TOML_OTHER_ITEM: append(nil, to: key)
        default: set(key, .other, value.line)
        }
    }

    private mutating func set(_ key: String, _ value: Value, _ line: Int) {
        let entry = Entry(value: value, line: line)
        if let current { sections[current]?[key] = entry } else { strays[key] = entry }
    }

    private mutating func append(_ item: String?, to key: String) {
        let entry = current.map { sections[$0]?[key] } ?? strays[key]
        guard let entry, case .list(let items) = entry.value else { return }
        set(key, .list(items + [item]), entry.line)
    }

    private static func text(_ start: UnsafePointer<CChar>, _ length: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }
}
