// Files that say where the broker is and how to log in.

import Broker
import Glibc

@testable import Commands

/// The first byte chooses workq's own file or rabbitmqadmin's.
@Sendable func readConfiguration(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let content = Array(bytes.dropFirst())
    withFile(of: content) { path in
        do throws(CommandError) {
            let file = try ConfigFile(path, isStrict: first & 1 == 0)
            _ = try file.section(nil)
            for name in file.sectionNames {
                let section = try file.section(name)
                require(section?.brokers.isEmpty == false, "the section \(name) has no broker")
            }
        } catch {
            require(error.status == .configuration, "status \(error.status) for a configuration file")
            require(!showsPassword(error.message, content), "the password is shown: \(error.message)")
        }
    }
}

/// Whether a message shows what can only be a password: this text, wherever it stands as a value.
private func showsPassword(_ message: String, _ content: [UInt8]) -> Bool {
    let secret = "Fuzzed-S3cret"
    guard message.contains(secret), !content.contains(UInt8(ascii: "'")) else { return false }
    let parts = content.text.split(separator: secret, omittingEmptySubsequences: false).dropLast()
    return parts.allSatisfy { $0.hasSuffix("password = \"") || $0.hasSuffix("://me:") }
}

@Sendable func readPasswordFile(_ bytes: [UInt8]) {
    withFile(of: bytes) { path in
        do throws(CommandError) {
            let secret = try PasswordFile.read(path, in: CommandContext(processName: "fuzzing"))
            let read = Array(secret.revealed.utf8)
            require(read == bytes || read + [UInt8(ascii: "\n")] == bytes, "another password is read")
        } catch {
            require(error.status == .configuration, "status \(error.status) for a password file")
            require(bytes.count < 9 || !error.message.contains(bytes.text), "the password is shown")
        }
    }
}

/// Gives `body` the path of a file that only its owner can read.
private func withFile(of bytes: [UInt8], _ body: (String) -> Void) {
    require(
        ftruncate(file, 0) == 0 && pwrite(file, bytes, bytes.count, 0) == bytes.count, "the file can't be written")
    body("/proc/self/fd/\(file)")
}

/// One file for all inputs, without a name.
private let file: Int32 = {
    var path = Array("/tmp/workq-fuzzing-XXXXXX".utf8CString)
    let descriptor = mkstemp(&path)
    unlink(path)
    return descriptor
}()
