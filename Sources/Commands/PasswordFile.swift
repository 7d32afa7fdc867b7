// Reads a password without letting anybody else read it.

import Broker
import Posix

/// Passwords from files, as ssh treats keys, and from the terminal.
enum PasswordFile {
    /// Tokens are longer than passwords.
    private static let maximumSize = 16 << 10
    /// Ctrl-C.
    private static let interrupt: UInt8 = 3

    /// The file's content without one newline at its end.
    static func read(_ path: String, in context: CommandContext) throws(CommandError) -> Secret {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandError(.noInput, "cannot open the password file \(path): \(SystemError.last.text)")
        }
        let file = Descriptor(owning: descriptor)
        // The open file is asked, not its name: the name may mean another file by now.
        var status = stat()
        guard fstat(file.number, &status) == 0 else {
            throw CommandError(.noInput, "cannot examine the password file \(path): \(SystemError.last.text)")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw CommandError(.noInput, "the password file \(path) is a directory")
        }
        if !isProvided(path, status, in: context), let objection = objection(to: status, path) { throw objection }
        return try secret(from: file.number, "the password file \(path)")
    }

    /// Who else could know what is in a file; nil when that is nobody but root, its owner, and a group that this
    /// process is in.
    private static func objection(to status: stat, _ path: String) -> CommandError? {
        let others = status.st_mode & 0o077
        guard others == 0 || others == 0o040 && groups.contains(status.st_gid) else {
            return CommandError(.configuration, "others can read the password file \(path). Run chmod 600 on it")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            return CommandError(.configuration, "the password file \(path) belongs to somebody else")
        }
        return nil
    }

    private static var groups: [gid_t] {
        var list: [gid_t] = Array(repeating: 0, count: Int(max(0, getgroups(0, nil))))
        let count = getgroups(Int32(list.count), &list)
        return [getegid()] + list.prefix(Int(max(0, count)))
    }

    /// Whether a service manager has put the file there for this process. Its modes are odd then: systemd gives access
    /// by a list, which shows as the group's rights, and Docker to everybody in the container.
    private static func isProvided(_ path: String, _ status: stat, in context: CommandContext) -> Bool {
        guard let place = realPath(path) else { return false }
        var found = stat()
        guard stat(place, &found) == 0, found.st_dev == status.st_dev, found.st_ino == status.st_ino else {
            return false
        }
        let folders = ["/run/secrets", context.environment["CREDENTIALS_DIRECTORY"]].compactMap(\.self)
        return folders.contains { folder in
            guard folder.hasPrefix("/"), let folder = realPath(folder) else { return false }
            return place.hasPrefix("\(folder)/")
        }
    }

    /// A path without links.
    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Asks on the terminal, without showing what is typed. Ctrl-C gives up.
    static func ask() throws(CommandError) -> Secret {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw CommandError(.noInput, "there is no terminal to ask for the password on. Use a file")
        }
        defer { close(terminal) }
        var shown = termios()
        tcgetattr(terminal, &shown)
        var hidden = shown
        // The terminal's signals come as characters meanwhile: ended by one, this process would leave the terminal
        // mute.
        hidden.c_lflag &= ~tcflag_t(ECHO | ISIG)
        withUnsafeMutableBytes(of: &hidden.c_cc) { $0[Int(VEOL)] = interrupt }
        tcsetattr(terminal, TCSAFLUSH, &hidden)
        defer {
            tcsetattr(terminal, TCSAFLUSH, &shown)
            _ = workq_write(terminal, "\n", 1)
        }
        let prompt = "Password: "
        _ = workq_write(terminal, prompt, prompt.utf8.count)
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while line.count < maximumSize, workq_read(terminal, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
            guard byte != interrupt else { throw CommandError(.signal(SIGINT), "no password was given") }
            line.append(byte)
        }
        return try secret(line, "the password")
    }

    private static func secret(from descriptor: Int32, _ what: String) throws(CommandError) -> Secret {
        var bytes: [UInt8]
        do throws(SystemError) {
            // One more than may be there, and a newline.
            bytes = try Transfer.read(from: descriptor, limit: maximumSize + 1)
        } catch {
            throw CommandError(.noInput, "cannot read \(what): \(error.text)")
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return try secret(bytes, what)
    }

    private static func secret(_ bytes: [UInt8], _ what: String) throws(CommandError) -> Secret {
        guard bytes.count <= maximumSize else {
            throw CommandError(.configuration, "\(what) is longer than \(maximumSize) bytes")
        }
        guard !bytes.isEmpty else { throw CommandError(.configuration, "\(what) is empty") }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw CommandError(.configuration, "\(what) is not text")
        }
        return Secret(text)
    }
}
