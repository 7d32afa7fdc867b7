// The sections of a TOML document, as plain values.

import CTOML

/// What a configuration file says, by section and key.
struct ConfigDocument {
    private(set) var sections: [String: [String: Value]] = [:]
    private var current = ""

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

    /// Reads TOML. Values outside of sections are left out.
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
            sections[current] = [:]
        case WORKQ_TOML_TEXT: sections[current]?[key] = .text(Self.text(value.text, value.text_length))
        case WORKQ_TOML_NUMBER: sections[current]?[key] = .number(value.number)
        case WORKQ_TOML_FLAG: sections[current]?[key] = .flag(value.number != 0)
        case WORKQ_TOML_LIST: sections[current]?[key] = .list([])
        case WORKQ_TOML_TEXT_ITEM: append(Self.text(value.text, value.text_length), to: key)
        case WORKQ_TOML_OTHER_ITEM: append(nil, to: key)
        default: sections[current]?[key] = .other
        }
    }

    private mutating func append(_ item: String?, to key: String) {
        guard case .list(let items) = sections[current]?[key] else { return }
        sections[current]?[key] = .list(items + [item])
    }

    private static func text(_ start: UnsafePointer<CChar>, _ length: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }
}
