// Reads the elements of a JSON array while it arrives, so that a long reply is never in memory as a whole.

/// Splits the text of an array of objects, which comes in pieces, into the objects, and hands each to a reader.
///
/// Each byte is looked at once, but for those of an object that a piece ends in: that one is read anew when it is
/// whole.
package struct JSONArraySplitter {
    /// Why a text is no array of objects.
    package enum Fault: Error, Equatable {
        case notAnArray
        case elementTooLong
    }

    private enum Place {
        case beforeArray, beforeFirst, beforeElement, afterElement, afterArray
    }

    /// Reads an object, all of it.
    package typealias Element = (inout JSONReader) throws(JSONReader.Malformed) -> Void

    /// No queue's description comes near this, so what does isn't one.
    static let elementLimit = 1 << 20

    private var place = Place.beforeArray
    /// The beginning of an element whose end hasn't come yet.
    private var pending: [UInt8] = []
    /// How long the beginning must be to be worth another look. It doubles, so that one that comes byte by byte isn't
    /// read for each of them.
    private var worthwhileCount = 0

    package init() {}

    /// Takes the next piece and has `element` read those elements that end in it, now or when the next pieces come.
    package mutating func scan(_ bytes: UnsafeRawBufferPointer, element: Element) throws(Fault) {
        guard pending.isEmpty else {
            pending += bytes
            guard pending.count >= worthwhileCount || pending.count > Self.elementLimit else { return }
            return try scanPending(element)
        }
        let count = try bytes.withMemoryRebound(to: UInt8.self) { bytes throws(Fault) in
            try scan(bytes, element)
        }
        pending += bytes[count...]
        try checkPending()
    }

    /// Ends the text. Returns whether the array has come to its end.
    package mutating func finish(element: Element) throws(Fault) -> Bool {
        if !pending.isEmpty { try scanPending(element) }
        return place == .afterArray
    }

    private mutating func scanPending(_ element: Element) throws(Fault) {
        // Moved there and back, so that the buffer stays the same.
        var bytes = pending
        pending = []
        let count = try bytes.withUnsafeBufferPointer { bytes throws(Fault) in try scan(bytes, element) }
        bytes.removeFirst(count)
        pending = bytes
        try checkPending()
    }

    private mutating func checkPending() throws(Fault) {
        guard pending.count <= Self.elementLimit else { throw .elementTooLong }
        worthwhileCount = 2 * pending.count
    }

    /// Returns how many bytes are done with.
    private mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>, _ element: Element) throws(Fault) -> Int {
        var index = 0
        while index < bytes.count {
            switch (bytes[index], place) {
            case (UInt8(ascii: " "), _), (UInt8(ascii: "\n"), _), (UInt8(ascii: "\r"), _), (UInt8(ascii: "\t"), _):
                index += 1
            case (UInt8(ascii: "["), .beforeArray):
                place = .beforeFirst
                index += 1
            case (UInt8(ascii: "{"), .beforeFirst), (UInt8(ascii: "{"), .beforeElement):
                var reader = JSONReader(UnsafeBufferPointer(rebasing: bytes[index...]))
                do throws(JSONReader.Malformed) {
                    try element(&reader)
                } catch {
                    guard reader.hasRunOut else { throw .notAnArray }
                    return index
                }
                place = .afterElement
                index += reader.position
            case (UInt8(ascii: ","), .afterElement):
                place = .beforeElement
                index += 1
            case (UInt8(ascii: "]"), .afterElement), (UInt8(ascii: "]"), .beforeFirst):
                place = .afterArray
                index += 1
            default:
                throw .notAnArray
            }
        }
        return index
    }
}
