// Passes on what commands write to standard output and standard error.

import Broker
import Posix

/// The way from the children's pipes to this process's own streams.
struct OutputRelay {
    /// How many pipes of ended commands are kept: a command that leaves a process behind each time would otherwise use
    /// up all descriptors.
    private static let mostOrphans = 256
    /// How long the end of the worker may be held up by a reader that doesn't read.
    private static let patience = Duration.seconds(5)

    /// What the log says in place of lines that were dropped, nil for nothing.
    private let lossLine: (_ count: Int) -> String?
    private(set) var output = OutputBuffer(descriptor: STDOUT_FILENO)
    private var errors = OutputBuffer(descriptor: STDERR_FILENO)
    /// Lines of the log that were dropped because standard error takes nothing.
    private var lostLines = 0
    /// Why held output couldn't be kept: the system's error number.
    private var holdingFailure: Int32?
    /// Pipes that outlived their command, held open by its own children.
    private var orphanedOutput: [ChildOutput] = []
    private var orphanedErrors: [ChildOutput] = []

    init(lossLine: @escaping (_ count: Int) -> String?) {
        self.lossLine = lossLine
    }

    /// Adds what there is to wait for. A full buffer makes the commands wait: their pipes aren't read.
    func add(to pollSet: inout PollSet, children: some Sequence<ChildProcess>) {
        if output.isPending { pollSet.add(output.descriptor, events: POLLOUT) }
        if errors.isPending { pollSet.add(errors.descriptor, events: POLLOUT) }
        for child in children {
            Self.add(child.output, for: output, to: &pollSet)
            Self.add(child.errors, for: errors, to: &pollSet)
        }
        for source in orphanedOutput { Self.add(source, for: output, to: &pollSet) }
        for source in orphanedErrors { Self.add(source, for: errors, to: &pollSet) }
    }

    private static func add(_ source: ChildOutput?, for buffer: OutputBuffer, to pollSet: inout PollSet) {
        guard let source, source.isOpen, !buffer.isFull else { return }
        pollSet.add(source.descriptor, events: POLLIN)
    }

    /// Moves what is ready to be moved; an error number when standard output can't be written any more.
    mutating func pass(_ pollSet: PollSet, children: inout [WorkerState.JobID: ChildProcess]) -> Int32? {
        for index in children.values.indices {
            if let descriptor = children.values[index].output?.descriptor, pollSet.isReady(descriptor) {
                children.values[index].output?.read(into: &output)
                holdingFailure = children.values[index].output?.failure ?? holdingFailure
            }
            if let descriptor = children.values[index].errors?.descriptor, pollSet.isReady(descriptor) {
                children.values[index].errors?.read(into: &errors)
                holdingFailure = children.values[index].errors?.failure ?? holdingFailure
            }
        }
        for index in orphanedOutput.indices where pollSet.isReady(orphanedOutput[index].descriptor) {
            orphanedOutput[index].read(into: &output)
        }
        for index in orphanedErrors.indices where pollSet.isReady(orphanedErrors[index].descriptor) {
            orphanedErrors[index].read(into: &errors)
        }
        orphanedOutput.removeAll { !$0.isOpen }
        orphanedErrors.removeAll { !$0.isOpen }
        noteLostLines()
        // Nobody can be told about lost messages on standard error.
        if errors.isPending, pollSet.isReady(errors.descriptor), errors.write() != nil { errors.discard() }
        var failure: Int32?
        if output.isPending, pollSet.isReady(output.descriptor) { failure = output.write() }
        guard let number = failure ?? holdingFailure else { return nil }
        holdingFailure = nil
        // What commands print may be what they are run for: a task isn't done when that is lost.
        output.discard()
        return number
    }

    /// Takes what a command that has ended left in its pipes. A pipe that somebody still holds open stays with the
    /// relay.
    mutating func takeLeftovers(of child: inout ChildProcess) {
        child.output?.readRest(into: &output)
        child.errors?.readRest(into: &errors)
        child.output?.handOver(to: &output)
        child.errors?.handOver(to: &errors)
        Self.keep(child.output, in: &orphanedOutput, for: &output)
        Self.keep(child.errors, in: &orphanedErrors, for: &errors)
    }

    private static func keep(
        _ source: ChildOutput?, in orphans: inout [ChildOutput], for buffer: inout OutputBuffer
    ) {
        guard let source, source.isOpen else { return }
        if orphans.count == mostOrphans {
            orphans[0].close(flushingTo: &buffer)
            orphans.removeFirst()
        }
        orphans.append(source)
    }

    /// Adds a line of the worker's own to standard error. A reader that takes nothing must not stop the worker, so the
    /// line is dropped when too much is waiting for it.
    mutating func log(_ line: String) {
        noteLostLines()
        guard !errors.isFull else {
            lostLines += 1
            return
        }
        // A command may have written half a line.
        if !errors.endsLine { errors.add(CollectionOfOne(UInt8(ascii: "\n"))) }
        errors.add(line.utf8)
        // Where it can be written at once it is, so that it stands before what a command writes there by itself.
        var pollSet = PollSet()
        pollSet.add(errors.descriptor, events: POLLOUT)
        pollSet.wait(timeout: 0)
        if pollSet.isReady(errors.descriptor), errors.write() != nil { errors.discard() }
    }

    private mutating func noteLostLines() {
        guard lostLines > 0, !errors.isFull else { return }
        if let line = lossLine(lostLines) { errors.add(line.utf8) }
        lostLines = 0
    }

    /// Whether something of what ended commands have printed hasn't been written, or can't be.
    var isBehind: Bool { output.isPending || holdingFailure != nil }

    /// Where what ended commands have printed will end, in bytes of all that was ever written.
    var outputEnd: Int { output.totalAdded }

    /// Writes what is left when the worker ends, waiting where it must, though not for ever; an error number when
    /// standard output fails. No task depends on it any more.
    mutating func flush() -> Int32? {
        for index in orphanedOutput.indices { orphanedOutput[index].flush(to: &output) }
        for index in orphanedErrors.indices { orphanedErrors[index].flush(to: &errors) }
        _ = Self.drain(&errors)
        return Self.drain(&output) ?? holdingFailure
    }

    private static func drain(_ buffer: inout OutputBuffer) -> Int32? {
        var pollSet = PollSet()
        pollSet.add(buffer.descriptor, events: POLLOUT)
        while buffer.isPending {
            let now = Instant.now
            pollSet.wait(timeout: (now + patience).pollTimeout(from: now))
            guard pollSet.isReady(buffer.descriptor) else { return nil }
            if let number = buffer.write() { return number }
        }
        return nil
    }
}
