// A report as a row of a table, for spreadsheets and for many runs in one file.

extension BenchReport {
    /// A line of names and a line of values, as RFC 4180 has it but for the line ends. The names are the same for every
    /// run; what a run doesn't have is empty.
    func csv() -> String {
        let fields = csvFields
        return fields.map(\.name).joined(separator: ",") + "\n"
            + fields.map { ($0.value ?? "").quotedForCSV }.joined(separator: ",") + "\n"
    }

    private var csvFields: [(name: String, value: String?)] {
        versionFields + parameterFields + flowFields("publish", publish) + flowFields("consume", consume)
            + latencyFields("confirm", confirmLatencyMicroseconds)
            + latencyFields("end_to_end", endToEndLatencyMicroseconds) + integrityFields
            + [("interruption", interruption?.kind)]
    }

    private var versionFields: [(name: String, value: String?)] {
        [
            ("started_at", String(startedAt)), ("workq", versions.workq), ("librabbitmq", versions.librabbitmq),
            ("broker", versions.broker),
        ]
    }

    private var parameterFields: [(name: String, value: String?)] {
        [
            ("producers", String(parameters.producers)), ("consumers", String(parameters.consumers)),
            ("size", String(parameters.size)), ("messages", parameters.messages.map(String.init)),
            ("duration_seconds", parameters.durationSeconds?.plainText),
            ("warm_up_seconds", parameters.warmUpSeconds.plainText), ("rate", parameters.rate.map(String.init)),
            ("window", String(parameters.window)), ("prefetch", String(parameters.prefetch)),
            ("queue_type", parameters.queueType), ("queue_arguments", parameters.queueArguments),
            ("persistent", String(parameters.persistent)),
        ]
    }

    private func flowFields(_ name: String, _ flow: Flow?) -> [(name: String, value: String?)] {
        [
            ("\(name)_messages", flow.map { String($0.messages) }), ("\(name)_seconds", flow?.seconds.plainText),
            ("\(name)_rate", flow?.rate.plainText), ("\(name)_bytes_per_second", flow?.bytesPerSecond.plainText),
        ]
    }

    /// Of nothing, every percentile would be 0.
    private func latencyFields(_ name: String, _ latency: Latency?) -> [(name: String, value: String?)] {
        let known = latency.flatMap { $0.count > 0 ? $0 : nil }
        return [
            ("\(name)_count", latency.map { String($0.count) }), ("\(name)_min", known.map { String($0.min) }),
            ("\(name)_mean", known?.mean.plainText), ("\(name)_p50", known.map { String($0.p50) }),
            ("\(name)_p90", known.map { String($0.p90) }), ("\(name)_p99", known.map { String($0.p99) }),
            ("\(name)_p999", known.map { String($0.p999) }), ("\(name)_max", known.map { String($0.max) }),
        ]
    }

    private var integrityFields: [(name: String, value: String?)] {
        [
            ("sent", String(integrity.sent)), ("confirmed", String(integrity.confirmed)),
            ("received", String(integrity.received)), ("lost", integrity.lost.map(String.init)),
            ("duplicated", String(integrity.duplicated)), ("reordered", String(integrity.reordered)),
            ("nacked", String(integrity.nacked)), ("returned", String(integrity.returned)),
            ("unconfirmed", String(integrity.unconfirmed)),
        ]
    }
}
