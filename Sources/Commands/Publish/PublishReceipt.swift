// What a publish came to, for scripts: `--format json`.

import JSON
import Posix
import Publisher

/// One JSON object on a line of its own, the message ids first: they are printed while they come, so that memory stays
/// the same however many there are.
struct PublishReceipt {
    let report: PublishReport
    let status: ExitStatus
    let destination: Destination
    /// Whether a guard kept the tasks back.
    let isSkipped: Bool
    let deliveredFromSpool: Int
    let time: Duration

    /// How `PrintedIDs` begins the object.
    static let idForm = PrintedIDs.Form { id, isFirst in
        (isFirst ? opening : ",") + String(decoding: Self.text(id.text.description), as: UTF8.self)
    }
    private static let opening = "{\"message_ids\":["

    /// What ends the object; with `ids` that were printed it continues the one that they began.
    func text(after ids: PrintedIDs?) -> [UInt8] {
        var text: [UInt8] = []
        if let ids {
            if ids.isEmpty { text += Self.opening.utf8 }
            text += "],".utf8
        } else {
            text.append(UInt8(ascii: "{"))
        }
        for (index, (key, value)) in members.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text += Self.text(key)
            text.append(UInt8(ascii: ":"))
            text.appendJSON(value)
        }
        return text + "}\n".utf8
    }

    private var members: [(String, JSONValue)] {
        let tally = report.tally
        let place: [(String, JSONValue)] =
            destination.exchange.isEmpty
            ? [("queue", JSONValue("\(destination.routingKey)"))]
            : [
                ("exchange", JSONValue("\(destination.exchange)")),
                ("routing_key", JSONValue("\(destination.routingKey)")),
            ]
        return place + [
            ("status", JSONValue(status.rawValue)),
            ("confirmed", JSONValue(tally.confirmed)),
            ("sent_unconfirmed", JSONValue(tally.sent)),
            ("returned", JSONValue(tally.returned)),
            ("refused", JSONValue(tally.nacked)),
            ("unknown", JSONValue(tally.unknown)),
            ("spooled", JSONValue(report.spooled)),
            ("delivered_from_spool", JSONValue(deliveredFromSpool)),
            ("skipped", .bool(isSkipped)),
            ("first_unconfirmed", tally.firstFailed.map { JSONValue($0) } ?? .null),
            ("reason", report.reason.map { JSONValue(Tool.hidingPasswords(in: $0)) } ?? .null),
            ("seconds", .double(Double(time.milliseconds) / 1_000)),
        ]
    }

    private static func text(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendJSON(text: Array(text.utf8))
        return bytes
    }
}
