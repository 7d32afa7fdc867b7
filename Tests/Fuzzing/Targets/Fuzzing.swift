// Where libFuzzer comes in: it calls these two functions, the first once and the second with every input.

import Glibc
import Posix

/// Chooses the target, before anything else is done.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<Int32>, _ words: UnsafeMutableRawPointer
) -> Int32 {
    if getenv("WORKQ_FUZZ_REWRITE") != nil { rewriteFiles() }
    if FuzzTarget.chosen == nil {
        print("WORKQ_FUZZ_TARGET must be one of:", FuzzTarget.all.map(\.name).joined(separator: " "))
        exit(64)
    }
    return 0
}

/// Runs the target once. Returns 0: all inputs are welcome.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // A copy of its own, so that a read beyond its end is found.
    FuzzTarget.chosen?.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// What is fuzzed: a reader of something that comes from outside.
struct FuzzTarget: Sendable {
    let name: String
    /// Reads an input and checks what came of it. Must not depend on the inputs before.
    let run: @Sendable ([UInt8]) -> Void

    static let all = [
        FuzzTarget(name: "arguments", run: readArguments),
        FuzzTarget(name: "config", run: readConfiguration),
        FuzzTarget(name: "expression", run: readExpression),
        FuzzTarget(name: "frames", run: readFrames),
        FuzzTarget(name: "json", run: readJSON),
        FuzzTarget(name: "management", run: readManagementReply),
        FuzzTarget(name: "password", run: readPasswordFile),
        FuzzTarget(name: "pattern", run: matchPattern),
        FuzzTarget(name: "properties", run: readProperties),
        FuzzTarget(name: "record", run: readRecord),
        FuzzTarget(name: "spool", run: readSegment),
        FuzzTarget(name: "url", run: readURL),
    ]

    /// The one that the environment names.
    static let chosen = getenv("WORKQ_FUZZ_TARGET").flatMap { name in
        all.first { $0.name == String(cString: name) }
    }
}

/// Ends the process, which makes the input a finding, unless `condition` holds.
func require(_ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String) {
    guard !condition() else { return }
    try? Transfer.write("does not hold: \(message())\n", to: STDERR_FILENO)
    abort()
}

extension [UInt8] {
    /// The text that these bytes are, invalid UTF-8 replaced.
    var text: String { String(decoding: self, as: UTF8.self) }

    /// These bytes in pieces whose lengths depend on the bytes alone: a finding is found again.
    var pieces: [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var rest = self[...]
        while let first = rest.first {
            let count = Int(first ^ UInt8(truncatingIfNeeded: rest.count)) % 23 + 1
            pieces.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}
