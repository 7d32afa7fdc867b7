// What explains a duplicate, and what doesn't.

import TestSupport
import Testing

@Suite("Causes")
struct CausesTests {
    @Test("a task that was in hand when its worker was killed may be seen once more, and only once")
    func killed() {
        let holds = [Causes.Hold(1, process: 7, start: 10, end: 12), Causes.Hold(1, process: 8, start: 13, end: 14)]
        let events = [Causes.Event("killed", process: 7, start: 12, end: 12)]
        let once = Causes(of: [1: [10, 13]], holds: holds, events: events)
        #expect(once.unexplained == [])
        #expect(once.counts == ["killed": Causes.Count(events: 1, inHand: 1, duplicates: 1)])
        let twice = Causes(of: [1: [10, 13, 15]], holds: holds, events: events)
        #expect(twice.unexplained == [1])
        #expect(twice.description.contains("duplicates without a cause: 1 [1]"))
    }

    @Test("what was done to another process, before the task was in hand, or after it was seen again explains nothing")
    func innocent() {
        let holds = [Causes.Hold(1, process: 7, start: 10, end: 12)]
        for event in [
            Causes.Event("killed", process: 8, start: 11, end: 11), Causes.Event("cut", start: 2, end: 8),
            Causes.Event("cut", start: 15, end: 16),
        ] {
            #expect(Causes(of: [1: [10, 14]], holds: holds, events: [event]).unexplained == [1], "\(event)")
        }
        let late = Causes.Event("cut", start: 12.5, end: 13)
        #expect(Causes(of: [1: [10, 12.2]], holds: holds, events: [late]).unexplained == [1])
        #expect(Causes(of: [1: [10, 14]], holds: holds, events: [late]).unexplained == [])
    }

    @Test("a process that may have had any task explains any duplicate, and what is seen once needs no cause")
    func any() {
        let holds = [Causes.Hold(nil, process: 7, start: 10, end: 12)]
        let events = [Causes.Event("killed", process: 7, start: 11, end: 11)]
        let causes = Causes(of: [1: [9], 2: [9, 20]], holds: holds, events: events)
        #expect(causes.unexplained == [] && causes.counts["killed"]?.duplicates == 1)
    }
}
