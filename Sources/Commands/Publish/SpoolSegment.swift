// A file of the spool as text: a line that says where its tasks go, and the tasks as `--ndjson` reads them.

import Broker
import JSON
import Publisher

/// Tasks of one destination that are kept together. Should all else fail, the lines behind the first can be published
/// by hand.
struct SpoolSegment: Equatable {
    /// Which broker's vhost tasks are for. A name such as "reports" may be a queue on many.
    struct Place: Equatable {
        /// The cluster's nodes as they were given, or the name that `--spool-name` gives it.
        var cluster: String
        var vhost: String
    }

    var place: Place
    var destination: Destination
    var tasks: [TaskRecord]

    /// A segment is complete when it has so many tasks or bytes, whichever comes first.
    static let taskLimit = 1_000
    static let byteLimit = 1 << 20

    private static let version: Int64 = 2

    /// Why a file is no segment.
    struct Malformed: Error, Equatable {
        var reason: String
    }

    /// The file's contents.
    var text: [UInt8] {
        var lines: [UInt8] = []
        for task in tasks { task.appendLine(to: &lines) }
        return Self.text(count: tasks.count, lines, destination, place)
    }

    /// The file's contents for tasks that are lines already.
    static func text(count: Int, _ lines: [UInt8], _ destination: Destination, _ place: Place) -> [UInt8] {
        let header: FieldTable = [
            "workq_spool": .int64(version), "tasks": .int64(Int64(count)), "bytes": .int64(Int64(lines.count)),
            "cluster": .text(place.cluster), "vhost": .text(place.vhost), "destination": .table(destination.fields),
        ]
        var text: [UInt8] = []
        header.appendJSON(to: &text)
        text.append(UInt8(ascii: "\n"))
        return text + lines
    }

    init(place: Place, destination: Destination, tasks: [TaskRecord]) {
        self.place = place
        self.destination = destination
        self.tasks = tasks
    }

    /// The same with only these tasks.
    func with(_ tasks: [TaskRecord]) -> SpoolSegment {
        SpoolSegment(place: place, destination: destination, tasks: tasks)
    }

    /// Reads a file's contents. A file that lost its end, or was never one of the spool's, is found out.
    init(_ text: [UInt8]) throws(Malformed) {
        guard let end = text.firstIndex(of: UInt8(ascii: "\n")),
            let json = try? JSONReader.value(of: Array(text[..<end])), let header = try? FieldTable(json: json),
            case .int64(let version)? = header["workq_spool"]
        else { throw Malformed(reason: "it isn't a spool file") }
        guard version == Self.version else { throw Malformed(reason: "it is of another version of workq") }
        guard case .int64(let count)? = header["tasks"], case .int64(let bytes)? = header["bytes"],
            case .string(let cluster)? = header["cluster"], case .string(let vhost)? = header["vhost"],
            case .table(let fields)? = header["destination"], let destination = Destination(fields)
        else { throw Malformed(reason: "its first line is damaged") }
        let lines = text[(end + 1)...]
        guard lines.count == bytes else {
            throw Malformed(reason: "it has \(lines.count) bytes behind its first line instead of \(bytes)")
        }
        place = Place(
            cluster: String(decoding: cluster, as: UTF8.self), vhost: String(decoding: vhost, as: UTF8.self))
        self.destination = destination
        tasks = []
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            do throws(TaskRecord.Malformed) {
                tasks.append(try TaskRecord(line: Array(line)))
            } catch {
                throw Malformed(reason: "task \(tasks.count + 1) is damaged: \(error.reason)")
            }
        }
        guard tasks.count == count else { throw Malformed(reason: "it has \(tasks.count) tasks instead of \(count)") }
    }
}
