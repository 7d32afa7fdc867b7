// Finds the elements of a JSON array while it arrives, so that a long reply is never in memory as a whole.

/// Splits the text of an array of objects, which comes in pieces, into the texts of the objects.
///
/// Only the structure is looked at: what an object holds is for a decoder to judge.
package struct JSONArraySplitter {
    /// Why a text is no array of objects.
    package enum Fault: Error, Equatable {
        case notAnArray
        case elementTooLong
    }

    private enum Place {
        case beforeArray, beforeElement, inElement, inString, inEscape, afterElement, afterArray
    }

    /// No queue's description comes near this, so what does isn't one.
    static let elementLimit = 1 << 20

    private var place = Place.beforeArray
    private var isFirst = true
    private var depth = 0
    /// The beginning of an element whose end hasn't come yet.
    private var pending: [UInt8] = []

    package init() {}

    /// Whether the array has come to its end.
    package var isComplete: Bool { place == .afterArray }

    /// Takes the next piece and hands on every element that ends in it.
    package mutating func scan(
        _ bytes: UnsafeRawBufferPointer, element: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var start = 0
        for index in bytes.indices {
            let byte = bytes[index]
            switch place {
            case .inString:
                if byte == UInt8(ascii: "\"") {
                    place = .inElement
                } else if byte == UInt8(ascii: "\\") {
                    place = .inEscape
                }
            case .inEscape:
                place = .inString
            case .inElement:
                guard try endsElement(byte) else { continue }
                try hand(UnsafeRawBufferPointer(rebasing: bytes[start...index]), to: element)
                place = .afterElement
            default:
                try takeBetweenElements(byte)
                if place == .inElement { start = index }
            }
        }
        guard [.inElement, .inString, .inEscape].contains(place) else { return }
        guard pending.count + bytes.count - start <= Self.elementLimit else { throw Fault.elementTooLong }
        pending += bytes[start...]
    }

    /// Whether a byte of an element outside its strings is its last.
    private mutating func endsElement(_ byte: UInt8) throws(Fault) -> Bool {
        switch byte {
        case UInt8(ascii: "\""): place = .inString
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            return depth == 0
        default: break
        }
        return false
    }

    private mutating func takeBetweenElements(_ byte: UInt8) throws(Fault) {
        switch (byte, place) {
        case (UInt8(ascii: " "), _), (UInt8(ascii: "\n"), _), (UInt8(ascii: "\r"), _), (UInt8(ascii: "\t"), _):
            break
        case (UInt8(ascii: "["), .beforeArray):
            place = .beforeElement
        case (UInt8(ascii: "{"), .beforeElement):
            place = .inElement
            depth = 1
            isFirst = false
        case (UInt8(ascii: ","), .afterElement):
            place = .beforeElement
        case (UInt8(ascii: "]"), .afterElement):
            place = .afterArray
        case (UInt8(ascii: "]"), .beforeElement) where isFirst:
            place = .afterArray
        default:
            throw .notAnArray
        }
    }

    private mutating func hand(
        _ end: UnsafeRawBufferPointer, to element: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard !pending.isEmpty else { return try element(end) }
        pending += end
        try pending.withUnsafeBytes(element)
        pending.removeAll(keepingCapacity: true)
    }
}
