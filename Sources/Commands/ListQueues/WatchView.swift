// What the keys of list-queues --watch change: order, place, and which queues are shown. Pure.

import Options

/// How the rows of a screen are arranged.
struct WatchView: Equatable {
    enum Order: Equatable {
        case busiest, name, ready, unacknowledged
    }

    /// What a key is for.
    enum Effect: Equatable {
        case none, redraw, leave
    }

    private(set) var order: Order
    private(set) var hidesEmpty = false
    /// What a name must hold; empty for any.
    private(set) var filter = ""
    /// What is being typed for the filter; nil when keys are commands.
    private(set) var typed: String?
    /// How many rows are above the screen.
    private(set) var offset = 0
    /// How many rows a screen holds, for scrolling by pages.
    var pageHeight = 1

    init(_ order: Order = .busiest) {
        self.order = order
    }

    /// The rows that are shown, in order. Rows come sorted as the options say.
    mutating func arrange(_ rows: [WatchRow]) -> [WatchRow] {
        let shown = rows.filter { row in
            !(hidesEmpty && row.messages == 0)
                && (activeFilter.isEmpty || row.name.lowercased().contains(activeFilter.lowercased()))
        }
        let keyed = shown.enumerated().map { (index: $0, key: key($1), row: $1) }
        let sorted = keyed.sorted { left, right in
            for (first, second) in zip(left.key, right.key) where first != second { return first > second }
            return left.index < right.index
        }.map(\.row)
        offset = max(0, min(offset, sorted.count - pageHeight))
        return sorted
    }

    private var activeFilter: String { typed ?? filter }

    private func key(_ row: WatchRow) -> [Double] {
        let (ready, unacknowledged) = (Double(row.ready ?? -1), Double(row.unacknowledged ?? -1))
        switch order {
        case .name: return []
        case .ready: return [ready, unacknowledged]
        case .unacknowledged: return [unacknowledged, ready]
        case .busiest:
            let rate = (row.incoming ?? 0) + (row.outgoing ?? 0)
            return [rate, Double(row.messages ?? -1)]
        }
    }

    // MARK: - Keys

    /// Takes what was typed at once: keys, or the sequences that terminals send for arrows and the like.
    mutating func take(_ bytes: [UInt8]) -> Effect {
        var rest = bytes[...]
        var effect = Effect.none
        while let byte = rest.first {
            var length = 1
            var result = Effect.redraw
            if byte == 0x1B, rest.dropFirst().first == UInt8(ascii: "["), rest.count >= 3 {
                let end = rest.dropFirst(2).firstIndex { (0x40...0x7E).contains($0) } ?? rest.endIndex - 1
                length = end - rest.startIndex + 1
                scroll(by: Array(rest[(rest.startIndex + 2)...end]))
            } else if typed != nil {
                edit(byte)
            } else {
                result = command(byte)
            }
            rest = rest.dropFirst(length)
            if result == .leave { return .leave }
            if result == .redraw { effect = .redraw }
        }
        return effect
    }

    private mutating func scroll(by sequence: [UInt8]) {
        switch String(decoding: sequence, as: UTF8.self) {
        case "A": offset -= 1
        case "B": offset += 1
        case "5~": offset -= pageHeight
        case "6~": offset += pageHeight
        case "H", "1~": offset = 0
        case "F", "4~": offset = .max / 2
        default: break
        }
        offset = max(0, offset)
    }

    private mutating func edit(_ byte: UInt8) {
        var text = typed ?? ""
        switch byte {
        case 0x0A, 0x0D:
            filter = text
            typed = nil
            return
        case 0x1B:
            typed = nil
            return
        case 0x7F, 0x08: text = String(text.dropLast())
        case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
        default: break
        }
        typed = text
    }

    private mutating func command(_ byte: UInt8) -> Effect {
        switch Character(Unicode.Scalar(byte)).lowercased() {
        case "q": return .leave
        case "b": order = .busiest
        case "n": order = .name
        case "r": order = .ready
        case "u": order = .unacknowledged
        case "e": hidesEmpty.toggle()
        case "/":
            typed = ""
            offset = 0
        case "j": offset += 1
        case "k": offset = max(0, offset - 1)
        case " ": offset += pageHeight
        default: return .none
        }
        return .redraw
    }

    // MARK: - The foot line

    /// The keys, as many as fit, or the filter while it is typed.
    func foot(width: Int, hidden: Int) -> String {
        if let typed { return "/\(typed)" }
        var parts = ["q leaves"]
        if hidden > 0 { parts.append("\(hidden) hidden") }
        if !filter.isEmpty { parts.append("/\(filter)") }
        parts += [
            "/ filter", "e \(hidesEmpty ? "show" : "hide") empty", "jk scroll", "b busiest", "r ready", "u unacked",
            "n name",
        ]
        while parts.count > 1, parts.joined(separator: "  ").displayWidth > width { parts.removeLast() }
        return parts.joined(separator: "  ")
    }
}
