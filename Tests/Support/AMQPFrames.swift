// AMQP 0-9-1 frames as values, and as bytes.

/// A method with its arguments.
package struct AMQPMethod: Sendable, Equatable {
    package let kind: AMQPMethodKind
    package let arguments: AMQPArguments

    /// Arguments that aren't given are zero, false or empty. Throws for names that the method doesn't have and values
    /// that don't fit.
    package init(_ kind: AMQPMethodKind, _ arguments: [String: AMQPValue] = [:]) throws {
        self.kind = kind
        self.arguments = try AMQPArguments(arguments, for: kind.fields, of: kind.name).filled(kind.fields)
    }

    fileprivate init(kind: AMQPMethodKind, decoded arguments: AMQPArguments) {
        self.kind = kind
        self.arguments = arguments
    }

    package func number(_ name: String) throws -> UInt64 { try arguments.number(name) }
    package func flag(_ name: String) throws -> Bool { try arguments.flag(name) }
    package func bytes(_ name: String) throws -> [UInt8] { try arguments.bytes(name) }
    package func text(_ name: String) throws -> String { try arguments.text(name) }
}

/// A frame. What it holds isn't checked against AMQP's rules: a script may want to break them.
package enum AMQPFrame: Sendable, Equatable {
    case method(channel: UInt16, AMQPMethod)
    /// A content header of class basic.
    case header(channel: UInt16, bodySize: UInt64, AMQPProperties)
    case body(channel: UInt16, [UInt8])
    case heartbeat
    /// Any other type of frame, or a method that the table doesn't have.
    case other(type: UInt8, channel: UInt16, payload: [UInt8])

    /// What every client sends first.
    package static let protocolHeader: [UInt8] = Array("AMQP".utf8) + [0, 0, 9, 1]
    /// Bytes of a frame beside its payload.
    package static let overhead = 8

    private static let endMark: UInt8 = 0xCE
    private static let basicClass: UInt16 = 60

    package var channel: UInt16 {
        switch self {
        case .method(let channel, _), .header(let channel, _, _), .body(let channel, _), .other(_, let channel, _):
            channel
        case .heartbeat: 0
        }
    }

    /// The frame on the wire.
    package var encoded: [UInt8] {
        var payload = AMQPWriter()
        let type: UInt8
        switch self {
        case .method(_, let method):
            type = 1
            payload.integer(method.kind.classID)
            payload.integer(method.kind.methodID)
            payload.arguments(method.arguments, method.kind.fields)
        case .header(_, let bodySize, let properties):
            type = 2
            payload.integer(Self.basicClass)
            payload.integer(UInt16(0))
            payload.integer(bodySize)
            payload.append(properties.bytes)
        case .body(_, let bytes):
            type = 3
            payload.append(bytes)
        case .heartbeat: type = 8
        case .other(let other, _, let bytes):
            type = other
            payload.append(bytes)
        }
        return Self.encode(type: type, channel: channel, payload: payload.bytes)
    }

    private static func encode(type: UInt8, channel: UInt16, payload: [UInt8]) -> [UInt8] {
        var frame = AMQPWriter()
        frame.integer(type)
        frame.integer(channel)
        frame.integer(UInt32(truncatingIfNeeded: payload.count))
        frame.append(payload)
        frame.integer(endMark)
        return frame.bytes
    }

    /// Takes the first frame off `bytes`; nil, and nothing taken, when it isn't complete yet. Throws for what is no
    /// frame.
    package static func decode(from bytes: inout ArraySlice<UInt8>) throws -> AMQPFrame? {
        guard bytes.count >= 7 else { return nil }
        var reader = AMQPReader(bytes.prefix(7))
        let (type, channel, size) = try (
            reader.integer(UInt8.self), reader.integer(UInt16.self), Int(reader.integer(UInt32.self))
        )
        guard bytes.count >= size + overhead else { return nil }
        let start = bytes.startIndex + 7
        guard bytes[start + size] == endMark else { throw Failure("a frame of type \(type) without its end mark") }
        let frame = try decode(type: type, channel: channel, payload: bytes[start..<start + size])
        bytes = bytes[(start + size + 1)...]
        return frame
    }

    private static func decode(type: UInt8, channel: UInt16, payload: ArraySlice<UInt8>) throws -> AMQPFrame {
        var reader = AMQPReader(payload)
        switch type {
        case 1:
            let (classID, methodID) = try (reader.integer(UInt16.self), reader.integer(UInt16.self))
            guard let kind = AMQPMethodKind.known(classID, methodID) else { break }
            let method = AMQPMethod(kind: kind, decoded: try reader.arguments(kind.fields))
            guard reader.remaining.isEmpty else { throw Failure("\(kind) is followed by \(reader.remaining)") }
            return .method(channel: channel, method)
        case 2:
            guard try reader.integer(UInt16.self) == basicClass else { break }
            _ = try reader.integer(UInt16.self)
            let size = try reader.integer(UInt64.self)
            return .header(channel: channel, bodySize: size, AMQPProperties(bytes: reader.remaining))
        case 3: return .body(channel: channel, Array(payload))
        case 8 where payload.isEmpty && channel == 0: return .heartbeat
        default: break
        }
        return .other(type: type, channel: channel, payload: Array(payload))
    }
}

extension AMQPFrame: CustomStringConvertible {
    /// One line for a transcript.
    package var description: String {
        switch self {
        case .method(let channel, let method):
            let values = method.kind.fields.compactMap { field in
                method.arguments.values[field.name].map { "\(field.name)=\($0.summary)" }
            }
            return "\(channel) \(method.kind) \(values.joined(separator: " "))"
        case .header(let channel, let bodySize, let properties):
            return "\(channel) header of \(bodySize) bytes, \(properties.bytes.count) bytes of properties"
        case .body(let channel, let bytes): return "\(channel) body \(bytes.count) bytes"
        case .heartbeat: return "heartbeat"
        case .other(let type, let channel, let payload):
            return "\(channel) type \(type), \(payload.count) bytes: \(payload.prefix(16))"
        }
    }
}

extension AMQPValue {
    fileprivate var summary: String {
        switch self {
        case .number(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        case .bytes(let bytes):
            bytes.count <= 64 && bytes.allSatisfy { (0x20..<0x7F).contains($0) }
                ? "\"\(String(decoding: bytes, as: UTF8.self))\"" : "<\(bytes.count) bytes>"
        }
    }
}
