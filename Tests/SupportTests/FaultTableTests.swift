// The table of faults and the tests that bear its numbers belong together.

import Foundation
import Testing

@Suite("Fault table") struct FaultTableTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// The numbers of the table's rows.
    private static func rows() throws -> Set<String> {
        let table = try String(contentsOf: folder.appendingPathComponent("Support/faults.md"), encoding: .utf8)
        return Set(table.matches(of: /(?m)^\| ([A-Z][0-9]+) \|/).map { String($0.output.1) })
    }

    /// The numbers in the names of all tests.
    private static func tested() throws -> Set<String> {
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap {
            $0 as? URL
        }
        var numbers: Set<String> = []
        for file in files ?? [] where file.pathExtension == "swift" {
            let source = try String(contentsOf: file, encoding: .utf8)
            for test in source.matches(of: /@Test\(\s*"((?:[^"\\]|\\.)*)"/) {
                for number in test.output.1.matches(of: /\b[A-Z][0-9]+\b/) { numbers.insert(String(number.output)) }
            }
        }
        return numbers
    }

    @Test("each row has a test that bears its number, and no test a number that isn't there")
    func complete() throws {
        let (rows, tested) = (try Self.rows(), try Self.tested())
        #expect(rows.count > 100)
        #expect(rows.subtracting(tested).sorted() == [])
        #expect(tested.subtracting(rows).sorted() == [])
    }
}
