// A folder of tasks that wait for a broker to come back: a small store that survives crashes and is shared by
// processes.

import Broker
import Posix
import Publisher

/// `--spool DIR`.
///
/// A file holds one segment and is named by a number; lower numbers are older. Files are written under another name,
/// synchronized and then renamed, so what has a segment's name is complete. Two locks: a short one for adding, which
/// makes numbers unique, and one that is held while tasks are delivered, so that each is delivered by one process.
final class Spool {
    private static let suffix = ".tasks"
    private static let temporarySuffix = ".tmp"
    private static let refusedSuffix = ".refused"

    let folder: String
    private let addLock: FileLock
    private let deliveryLock: FileLock
    private let interruption: Interruption?

    /// A file that holds tasks, or should.
    struct Entry: Equatable {
        var number: Int
        var name: String
    }

    /// Opens the folder. Where it is missing it is made when `creates` says so, else that is 66.
    init(_ folder: String, creates: Bool = true, interruption: Interruption?) throws(CommandError) {
        self.folder = folder
        self.interruption = interruption
        if creates, mkdir(folder, 0o700) == 0 {
            try DurableFile.synchronize(folder: DurableFile.folder(of: folder))
        } else if creates, errno != EEXIST {
            throw DurableFile.failure(folder, errno)
        }
        try Self.check(folder)
        addLock = try FileLock("\(folder)/lock")
        deliveryLock = try FileLock("\(folder)/delivery.lock")
    }

    /// Refuses a folder that somebody else could put tasks into, or take them from.
    private static func check(_ folder: String) throws(CommandError) {
        var status = stat()
        guard stat(folder, &status) == 0 else {
            throw CommandError(.noInput, "cannot read \(folder): \(SystemError.text(errno))")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw CommandError(.noInput, "cannot read \(folder): \(SystemError.text(ENOTDIR))")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw CommandError(.configuration, "the spool \(folder) belongs to somebody else")
        }
        guard status.st_mode & 0o002 == 0 else {
            throw CommandError(.configuration, "others can write to the spool \(folder). Run chmod o-w on it")
        }
    }

    // MARK: - Adding

    /// Keeps a segment's text. Once this returns the tasks are on disk.
    func add(_ text: [UInt8]) throws(CommandError) {
        try addLock.wait(interruption)
        defer { addLock.unlock() }
        let names = try self.names()
        sweep(names)
        try write(text, Self.name(Self.number(after: names.compactMap(Self.number))))
    }

    /// Removes what a crash left. Whoever holds the lock for adding is the only one who writes.
    private func sweep(_ names: [String]) {
        for name in names where name.hasSuffix(Self.temporarySuffix) && Self.number(name) != nil {
            unlink("\(folder)/\(name)")
        }
    }

    /// Replaces a segment by what is left of it.
    func replace(_ entry: Entry, by text: [UInt8]) throws(CommandError) {
        try addLock.wait(interruption)
        defer { addLock.unlock() }
        try write(text, entry.name)
    }

    private func write(_ text: [UInt8], _ name: String) throws(CommandError) {
        let file = try DurableFile("\(folder)/\(name)", temporaryPath: "\(folder)/\(name)\(Self.temporarySuffix)")
        try file.write(text)
        try file.commit()
    }

    // MARK: - Delivering

    /// What came of asking for the right to deliver.
    enum Turn {
        case taken
        /// Another process has it for too long.
        case late
        case interrupted(Int32)
    }

    /// Takes the right to deliver, for which another process is waited for until `deadline`, or until a signal.
    func lockForDelivery(until deadline: Instant, _ interruption: Interruption?) -> Turn {
        while !deliveryLock.tryLock() {
            if let signal = interruption?.take().first { return .interrupted(signal) }
            guard Instant.now < deadline else { return .late }
            usleep(FileLock.interval)
        }
        return .taken
    }

    func unlockDelivery() {
        deliveryLock.unlock()
    }

    /// All segments, oldest first. Other files in the folder are nobody's business.
    func entries() throws(CommandError) -> [Entry] {
        // Whoever is adding now sweeps too.
        let mayWrite = addLock.tryLock()
        defer { if mayWrite { addLock.unlock() } }
        let names = try self.names()
        if mayWrite { sweep(names) }
        return names.compactMap { name in
            guard name.hasSuffix(Self.suffix), let number = Self.number(name) else { return nil }
            return Entry(number: number, name: name)
        }
        .sorted { $0.number < $1.number }
    }

    /// The contents of a segment's file; nil when it is gone. Refused is what isn't a regular file of this user's.
    func read(_ entry: Entry) throws(CommandError) -> [UInt8]? {
        let path = "\(folder)/\(entry.name)"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            // A link, and a socket.
            if errno == ELOOP || errno == ENXIO { throw CommandError(.refused, "it is no regular file") }
            throw CommandError(.noInput, "cannot read \(path): \(SystemError.text(errno))")
        }
        defer { workq_close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CommandError(.refused, "it is no regular file")
        }
        guard status.st_uid == geteuid() else { throw CommandError(.refused, "it belongs to somebody else") }
        var reader = TaskReader(descriptor, separator: nil, limit: .max)
        do throws(TaskReader.Failure) {
            while true {
                try reader.read()
                if let text = try reader.next() { return text }
            }
        } catch {
            guard case .unreadable(let number) = error else { return nil }
            throw CommandError(.noInput, "cannot read \(path): \(SystemError.text(number))")
        }
    }

    /// Forgets a segment whose tasks are all confirmed.
    func remove(_ entry: Entry) {
        unlink("\(folder)/\(entry.name)")
    }

    /// Puts a file out of the way that can't be delivered, and returns where it is; nil when even that fails.
    func setAside(_ entry: Entry) -> String? {
        let path = "\(folder)/\(entry.name)"
        return rename(path, "\(path).bad") == 0 ? "\(path).bad" : nil
    }

    /// Puts tasks of a segment out of the way, and returns where they are.
    func setAside(_ tasks: SpoolSegment, of entry: Entry) throws(CommandError) -> String {
        try addLock.wait(interruption)
        defer { addLock.unlock() }
        let names = try self.names()
        var name = "\(entry.name)\(Self.refusedSuffix)"
        // Others of the same segment may have been set aside before.
        var number = 1
        while names.contains(name) {
            number += 1
            name = "\(entry.name).\(number)\(Self.refusedSuffix)"
        }
        try write(tasks.text, name)
        return "\(folder)/\(name)"
    }

    /// How many tasks are kept for a destination.
    func depth(of destination: Destination, at place: SpoolSegment.Place) throws(CommandError) -> Int {
        var count = 0
        for entry in try entries() {
            guard let text = (try? read(entry)) ?? nil, let segment = try? SpoolSegment(text), segment.place == place,
                segment.destination.exchange == destination.exchange,
                segment.destination.routingKey == destination.routingKey
            else { continue }
            count += segment.tasks.count
        }
        return count
    }

    // MARK: - Names

    private static func name(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text + suffix
    }

    private static let digits = 12

    /// The number of a segment's file, also of one that was put out of the way or isn't complete; nil for other files.
    private static func number(_ name: String) -> Int? {
        let number = name.prefix(digits)
        let rest = name.dropFirst(digits)
        guard number.allSatisfy({ ("0"..."9").contains($0) }), rest == suffix || rest.hasPrefix("\(suffix).") else {
            return nil
        }
        return Int(number)
    }

    /// The number for a new segment: the one behind all others. Where somebody has put a file of the last number there
    /// is, it is the first gap.
    private static func number(after others: [Int]) -> Int {
        let next = (others.max() ?? 0) + 1
        guard String(next).utf8.count > digits else { return next }
        let taken = Set(others)
        return (1...).first { !taken.contains($0) } ?? 1
    }

    private func names() throws(CommandError) -> [String] {
        guard let stream = opendir(folder) else {
            throw CommandError(.noInput, "cannot read \(folder): \(SystemError.text(errno))")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            // The name is in the entry, which is good until the next call.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    String(validatingCString: $0)
                }
            }
            if let name { names.append(name) }
        }
        return names
    }
}

/// A lock between processes, which ends with its owner however that ends.
private final class FileLock {
    private let descriptor: Int32

    init(_ path: String) throws(CommandError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw DurableFile.failure(path, errno) }
    }

    deinit {
        workq_close(descriptor)
    }

    /// How long to wait between two attempts, in microseconds.
    static let interval: UInt32 = 20_000

    /// Takes the lock. Another process may keep it for as long as it likes; a second signal ends the wait.
    func wait(_ interruption: Interruption?) throws(CommandError) {
        while !tryLock() {
            guard interruption?.isUrgent != true else { throw CommandError(.signal(SIGTERM), "interrupted") }
            usleep(Self.interval)
        }
    }

    func tryLock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    func unlock() {
        flock(descriptor, LOCK_UN)
    }
}
