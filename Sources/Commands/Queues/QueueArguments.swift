// What `--queue-arg` says of a queue that is created.

import Broker

extension FieldTable {
    /// The arguments of a queue that `command` creates. Those that an option of their own stands for are refused, and
    /// names that no broker takes.
    init(
        ofNewQueue fields: [Field], besides options: [(argument: ShortString, option: String)] = [],
        for command: String
    ) throws(CommandError) {
        self.init(fields)
        for (argument, option) in [("x-queue-type", "--queue-type")] + options where self[argument] != nil {
            throw CommandError(.usage, "\(command): \(argument) is given by \(option)")
        }
        if let name = firstInvalidName {
            throw CommandError(
                .refused, "an argument's name must have 1 to 128 bytes and no control characters, not \"\(name)\"")
        }
    }
}
