// Why a run of a bench ended early, in words and for programs.

import Benchmark
import Broker
import Options
import Posix

extension BenchRun.Interruption {
    /// One word for programs.
    var kind: String {
        switch self {
        case .signal: "signal"
        case .failed: "failed"
        case .blocked: "blocked"
        case .unanswered: "unanswered"
        case .stalled: "stalled"
        case .noThread: "no-thread"
        }
    }

    /// What happened, and where it helps, what it means.
    var text: String {
        switch self {
        case .signal: "interrupted"
        case .failed(let error): CommandError(error).message
        case .blocked(let reason):
            "the broker is short of resources and blocks publishers (\(reason)): it should get no more load"
        case .unanswered(let time): "no confirm in \(time.shortText)"
        case .stalled(let time): "nothing arrived in \(time.shortText), though the queue has messages"
        case .noThread: "the system refuses another thread"
        }
    }

    var status: ExitStatus {
        switch self {
        case .signal(let number): .signal(number)
        case .failed(let error): ExitStatus(error)
        case .blocked, .unanswered, .stalled, .noThread: .temporaryFailure
        }
    }
}
