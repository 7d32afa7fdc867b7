// Tasks as lines of JSON, and files of the spool: what is read is written and read again the same.

import Broker

@testable import Commands

@Sendable func readRecord(_ bytes: [UInt8]) {
    do throws(TaskRecord.Malformed) {
        checkLine(of: try TaskRecord(line: bytes))
    } catch {
        require(!error.reason.isEmpty, "nobody says why the line is refused")
    }
}

/// That a record is one line, which reads back as the same record.
func checkLine(of record: TaskRecord) {
    // Lines are compared, since what isn't a number isn't equal to itself.
    let line = record.line
    require(line.firstIndex(of: UInt8(ascii: "\n")) == line.count - 1, "a line has a newline within: \(line.text)")
    do throws(TaskRecord.Malformed) {
        let again = try TaskRecord(line: line)
        require(again.body == record.body, "another body comes back from \(line.text)")
        require(again.line == line, "\(line.text) comes back as \(again.line.text)")
    } catch {
        require(false, "refused: \(line.text): \(error.reason)")
    }
}

@Sendable func readSegment(_ bytes: [UInt8]) {
    do throws(SpoolSegment.Malformed) {
        let text = try SpoolSegment(bytes).text
        let again = try SpoolSegment(text)
        require(again.text == text, "\(text.text) comes back as \(again.text.text)")
    } catch {
        require(!error.reason.isEmpty, "nobody says why the file is refused")
    }
}

extension TaskRecord {
    fileprivate var line: [UInt8] {
        var line: [UInt8] = []
        appendLine(to: &line)
        return line
    }
}
