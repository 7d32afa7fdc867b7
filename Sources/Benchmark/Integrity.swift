// Whether every message came, once and in order.

import DequeModule

/// Which numbers of one producer have arrived. Constant memory while they come roughly in order: a bit for each number
/// from the first missing one on.
struct ArrivedNumbers {
    /// Numbers whose bits are `words[0]` start here; all below have arrived.
    private var base: UInt64 = 1
    private var words: Deque<UInt64> = []
    /// Different numbers that have arrived.
    private(set) var count = 0

    /// Notes a number, from 1; false when it had arrived before.
    mutating func insert(_ number: UInt64) -> Bool {
        guard number >= base else { return false }
        let (word, bit) = place(of: number)
        while words.count <= word { words.append(0) }
        guard words[word] & bit == 0 else { return false }
        words[word] |= bit
        count += 1
        while words.first == .max {
            words.removeFirst()
            base += 64
        }
        return true
    }

    func contains(_ number: UInt64) -> Bool {
        guard number >= base else { return number >= 1 }
        let (word, bit) = place(of: number)
        return word < words.count && words[word] & bit != 0
    }

    private func place(of number: UInt64) -> (word: Int, bit: UInt64) {
        let offset = number - base
        return (Int(offset / 64), 1 << (offset % 64))
    }
}

/// The account of what arrived, from all producers at all consumers.
struct ArrivalAccount {
    private var numbers: [ArrivedNumbers]
    private(set) var duplicates = 0

    init(producers: Int) {
        numbers = Array(repeating: ArrivedNumbers(), count: producers)
    }

    /// Messages that have arrived, those that came twice counted once.
    var arrived: Int { numbers.reduce(0) { $0 + $1.count } }

    mutating func note(producer: Int, sequence: UInt64) {
        guard numbers.indices.contains(producer), sequence >= 1 else { return }
        if !numbers[producer].insert(sequence) { duplicates += 1 }
    }

    func hasArrived(producer: Int, sequence: UInt64) -> Bool {
        numbers.indices.contains(producer) && numbers[producer].contains(sequence)
    }

    /// How many messages of a producer the broker confirmed and no consumer got.
    ///
    /// `unconfirmed` are the numbers, up to `sent`, that the broker did not confirm: it owes nobody those.
    func lost(producer: Int, sent: UInt64, unconfirmed: Set<UInt64>) -> Int {
        let arrived = numbers[producer]
        return Int(sent) - arrived.count - unconfirmed.count { !arrived.contains($0) }
    }
}

/// Whether one consumer gets each producer's messages in the order of sending.
struct OrderWatch {
    private var latest: [UInt64]
    /// Messages that came after a later one of the same producer.
    private(set) var reordered = 0

    init(producers: Int) {
        latest = Array(repeating: 0, count: producers)
    }

    mutating func note(producer: Int, sequence: UInt64) {
        guard latest.indices.contains(producer) else { return }
        if sequence > latest[producer] {
            latest[producer] = sequence
        } else if sequence < latest[producer] {
            reordered += 1
        }
    }
}
