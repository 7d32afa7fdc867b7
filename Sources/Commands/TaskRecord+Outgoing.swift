// Tasks that weren't sent, as they are written down.

import Broker
import Publisher

extension OutgoingTask {
    /// The task as it is written down.
    var record: TaskRecord {
        var record = TaskRecord(body: body, properties: particulars?.properties ?? route.properties)
        if particulars == nil {
            record.properties.messageID = id.text
            record.properties.timestamp = timestamp
        }
        return record
    }
}
