// What the soak's commands write down, for the account.

import TestSupport

/// What the commands have noted.
struct SoakLog {
    /// When those runs began that came to their end.
    private(set) var sightings: [Int: [Double]] = [:]
    private(set) var holds: [Causes.Hold] = []
    /// Workers that were killed by a command.
    private(set) var kills: [Causes.Event] = []
    /// How long a command takes at most that doesn't note its end.
    private static let longest = 6.0

    init(_ text: String) {
        struct Run: Hashable {
            var task: Int
            var worker: Int
            var command: Int
        }
        var starts: [Run: Double] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 5, let task = Int(words[1]), let time = Double(words[2]), let worker = Int(words[3]),
                let command = Int(words[4])
            else { continue }
            let run = Run(task: task, worker: worker, command: command)
            switch words[0] {
            case "start": starts[run] = time
            case "kill":
                kills.append(Causes.Event("worker killed by a task", process: worker, start: time, end: time))
            default:
                let start = starts.removeValue(forKey: run) ?? time
                sightings[task, default: []].append(start)
                holds.append(Causes.Hold(task, process: worker, start: start, end: time))
            }
        }
        for (run, start) in starts {
            holds.append(Causes.Hold(run.task, process: run.worker, start: start, end: start + Self.longest))
        }
    }
}
