// Starts the command for a task.

import Broker
import Posix

/// A command and what all its processes have in common. One a worker.
package final class CommandLauncher {
    /// Strings as execve wants them. They live as long as the launcher, so a start copies only what is a task's own.
    private let path: UnsafeMutablePointer<CChar>
    private let arguments: [UnsafeMutablePointer<CChar>?]
    private let environment: [UnsafeMutablePointer<CChar>?]

    /// Whether the command is kept from the terminal.
    private let hasOwnSession: Bool

    /// `arguments` begins with the command's name as it was given; `environment` is a list of `NAME=value`.
    package init(
        _ executable: Executable, arguments: [[UInt8]], environment: [[UInt8]], hasOwnSession: Bool = true
    ) {
        self.hasOwnSession = hasOwnSession
        path = Self.copy(Array(executable.path.utf8))
        self.arguments = arguments.map(Self.copy) + [nil]
        self.environment = environment.map(Self.copy)
    }

    deinit {
        path.deallocate()
        for string in arguments + environment { string?.deallocate() }
    }

    private static func copy(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar> {
        let string = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { string[index] = CChar(bitPattern: byte) }
        string[bytes.count] = 0
        return string
    }

    /// A command that couldn't be started.
    struct Failure: Error {
        var end: JobEnd
    }

    /// Starts the command with `body` on its standard input, which may take until later: see `ChildProcess.input`.
    ///
    /// Where `output` or `errors` is given, that stream of the child is read; else it goes where this process's goes.
    /// Variables that are too large for the system are left out where the command can do without them: whoever may
    /// publish could otherwise send tasks that nobody can start.
    func start(
        body: [UInt8], variables: EnvironmentBlock, output: ChildOutput.Mode? = nil, errors: ChildOutput.Mode? = nil
    ) throws(Failure) -> ChildProcess {
        var pipes = try Self.openPipes(1 + (output == nil ? 0 : 1) + (errors == nil ? 0 : 1))
        let ends = pipes.removeFirst()
        let outputEnds = output == nil ? nil : pipes.removeFirst()
        let errorEnds = errors == nil ? nil : pipes.removeFirst()
        defer { for descriptor in [ends.read, outputEnds?.write, errorEnds?.write] { descriptor.map(workq_close) } }
        workq_set_nonblocking(ends.write)
        var input = ChildInput(descriptor: ends.write, body: body)
        // What fits the pipe goes in before the child exists; most tasks need no more writing.
        input.write()

        let streams = (ends.read, outputEnds?.write ?? STDOUT_FILENO, errorEnds?.write ?? STDERR_FILENO)
        var (pid, error) = spawn(variables, streams)
        if error == E2BIG, let required = variables.required { (pid, error) = spawn(required, streams) }
        guard pid > 0 else {
            input.close()
            for descriptor in [outputEnds?.read, errorEnds?.read] { descriptor.map(workq_close) }
            throw Failure(end: end(for: error))
        }
        var child = ChildProcess(pid: pid, input: input)
        child.output = Self.reader(outputEnds?.read, output)
        child.errors = Self.reader(errorEnds?.read, errors)
        return child
    }

    /// The process id, or -1 and why there is none.
    private func spawn(
        _ variables: EnvironmentBlock, _ streams: (input: Int32, output: Int32, errors: Int32)
    ) -> (pid: pid_t, error: Int32) {
        var error: Int32 = 0
        let pid = variables.withPointers { own in
            let environment = environment + own + [nil]
            return arguments.withUnsafeBufferPointer { arguments in
                environment.withUnsafeBufferPointer { environment -> pid_t in
                    guard let arguments = arguments.baseAddress, let environment = environment.baseAddress else {
                        return -1
                    }
                    var request = workq_spawn(
                        path: path, arguments: arguments, environment: environment, standard_input: streams.input,
                        standard_output: streams.output, standard_error: streams.errors,
                        has_own_session: hasOwnSession)
                    return workq_spawn_child(&request, &error)
                }
            }
        }
        return (pid, error)
    }

    private static func reader(_ descriptor: Int32?, _ mode: ChildOutput.Mode?) -> ChildOutput? {
        guard let descriptor, let mode else { return nil }
        workq_set_nonblocking(descriptor)
        return ChildOutput(descriptor: descriptor, mode: mode)
    }

    /// Pipes whose ends are close-on-exec; all of them or none.
    private static func openPipes(_ count: Int) throws(Failure) -> [(read: Int32, write: Int32)] {
        var pipes: [(read: Int32, write: Int32)] = []
        for _ in 0..<count {
            var descriptors: [Int32] = [-1, -1]
            guard workq_pipe(&descriptors) == 0 else {
                let end = JobEnd.notStarted(reason(errno))
                for descriptor in pipes.flatMap({ [$0.read, $0.write] }) { workq_close(descriptor) }
                throw Failure(end: end)
            }
            pipes.append((descriptors[0], descriptors[1]))
        }
        return pipes
    }

    /// Errors of the executable stop the worker; errors of the moment don't.
    private func end(for error: Int32) -> JobEnd {
        let name = String(cString: path)
        switch error {
        case ENOENT, ENOTDIR, EACCES, EPERM, EISDIR, ELOOP: return .unusable("\(name): \(Self.reason(error))")
        case ENOEXEC: return .unusable("\(name) is neither a program nor a script that starts with #!")
        case E2BIG: return .unusable("\(name): the arguments and the environment are too large for this system")
        default: return .notStarted(Self.reason(error))
        }
    }

    private static func reason(_ error: Int32) -> String {
        String(cString: strerror(error)).lowercased()
    }
}
