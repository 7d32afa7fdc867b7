// Passes on what commands write to standard output and standard error.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The way from the children's pipes to this process's own streams.
struct OutputRelay {
    private var output = OutputBuffer(descriptor: STDOUT_FILENO)
    private var errors = OutputBuffer(descriptor: STDERR_FILENO)
    /// Pipes that outlived their command, held open by its own children.
    private var orphanedOutput: [ChildOutput] = []
    private var orphanedErrors: [ChildOutput] = []

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
        for (job, child) in children {
            if let source = child.output, pollSet.isReady(source.descriptor) {
                children[job]?.output?.read(into: &output)
            }
            if let source = child.errors, pollSet.isReady(source.descriptor) {
                children[job]?.errors?.read(into: &errors)
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
        // Nobody can be told about lost messages on standard error.
        if errors.isPending, pollSet.isReady(errors.descriptor), errors.write() != nil { errors.discard() }
        guard output.isPending, pollSet.isReady(output.descriptor), let number = output.write() else { return nil }
        // What commands print may be what they are run for: a task isn't done when that is lost.
        output.discard()
        return number
    }

    /// Takes what a command that has ended left in its pipes. A pipe that somebody still holds open stays with the relay.
    mutating func takeLeftovers(of child: inout ChildProcess) {
        child.output?.readRest(into: &output)
        child.errors?.readRest(into: &errors)
        if let rest = child.output, rest.isOpen { orphanedOutput.append(rest) }
        if let rest = child.errors, rest.isOpen { orphanedErrors.append(rest) }
    }

    /// Writes what is left when the worker ends, waiting where it must; an error number when standard output fails.
    mutating func flush() -> Int32? {
        for index in orphanedOutput.indices { orphanedOutput[index].flush(to: &output) }
        for index in orphanedErrors.indices { orphanedErrors[index].flush(to: &errors) }
        _ = Self.drain(&errors)
        return Self.drain(&output)
    }

    private static func drain(_ buffer: inout OutputBuffer) -> Int32? {
        var pollSet = PollSet()
        pollSet.add(buffer.descriptor, events: POLLOUT)
        while buffer.isPending {
            pollSet.wait(timeout: -1)
            if let number = buffer.write() { return number }
        }
        return nil
    }
}
