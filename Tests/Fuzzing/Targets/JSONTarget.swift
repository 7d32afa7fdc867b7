// JSON: what is accepted is written and read again equal, and arrays that come in pieces are the same as whole ones.

import Glibc

@testable import JSON

@Sendable func readJSON(_ bytes: [UInt8]) {
    let elements = elementsInPieces(bytes)
    guard let value = try? JSONReader.value(of: bytes) else {
        // An element by itself has a level more to go than in its array.
        require(elements == nil || bytes.count > 512, "an array that is none was accepted in pieces")
        return
    }
    var line: [UInt8] = []
    line.appendJSON(value)
    require((try? JSONReader.value(of: line)) == value, "written and read again it is another value: \(line.text)")
    require(line.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a control character was written: \(line)")
    var indented: [UInt8] = []
    indented.appendIndentedJSON(value)
    require((try? JSONReader.value(of: indented)) == value, "indented it is another value: \(indented.text)")
    let isSkipped: Void? = try? JSONReader.read(bytes) { reader throws(JSONReader.Malformed) in try reader.skip() }
    require(isSkipped != nil, "it can be read and not be skipped")
    if case .array(let all) = value, all.allSatisfy(\.isObject) {
        require(elements == all, "in pieces the array has other elements")
    } else {
        require(elements == nil, "what is no array of objects was accepted in pieces")
    }
}

/// The elements of an array of objects; nil when it isn't one.
private func elementsInPieces(_ bytes: [UInt8]) -> [JSONValue]? {
    var elements: [JSONValue] = []
    let append: JSONArraySplitter.Element = { reader throws(JSONReader.Malformed) in
        elements.append(try reader.value())
    }
    var splitter = JSONArraySplitter()
    do throws(JSONArraySplitter.Fault) {
        for piece in bytes.pieces {
            try piece.withUnsafeBufferPointer { piece throws(JSONArraySplitter.Fault) in
                try splitter.scan(UnsafeRawBufferPointer(piece), element: append)
            }
        }
        return try splitter.finish(element: append) ? elements : nil
    } catch {
        return nil
    }
}

extension JSONValue {
    fileprivate var isObject: Bool { if case .object = self { true } else { false } }
}

/// For `compare-json`: reads names of files, a line each, and answers each with a line: the file's JSON as workq writes
/// it, or nothing where it isn't JSON.
func rewriteFiles() -> Never {
    while let path = readLine() {
        var line: [UInt8] = []
        if let bytes = content(of: path), let value = try? JSONReader.value(of: bytes) { line.appendJSON(value) }
        print(line.text)
    }
    exit(0)
}

private func content(of path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = Array(repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes.prefix(count))
}
