// Reads a password without letting anybody else read it.

import Broker
import Posix

/// Passwords from files, as ssh treats keys, and from the terminal.
enum PasswordFile {
    private static let maximumSize = 4_096
    /// Ctrl-C.
    private static let interrupt: UInt8 = 3

    /// The file's content without one newline at its end.
    static func read(_ path: String) throws(CommandError) -> Secret {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandError(.noInput, "cannot open the password file \(path): \(SystemError.text(errno))")
        }
        defer { close(descriptor) }
        // The open file is asked, not its name: the name may mean another file by now.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw CommandError(.noInput, "cannot examine the password file \(path): \(SystemError.text(errno))")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw CommandError(.noInput, "the password file \(path) is a directory")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw CommandError(.configuration, "others can read the password file \(path). Run chmod 600 on it")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw CommandError(.configuration, "the password file \(path) belongs to somebody else")
        }
        return try secret(from: descriptor, "the password file \(path)")
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
        // The terminal's signals come as characters meanwhile: ended by one, this process would leave the terminal mute.
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
        var bytes: [UInt8] = []
        var buffer: [UInt8] = Array(repeating: 0, count: maximumSize + 2)
        while bytes.count <= maximumSize + 1 {
            let count = workq_read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw CommandError(.noInput, "cannot read \(what): \(SystemError.text(errno))") }
            if count == 0 { break }
            bytes += buffer[..<count]
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
