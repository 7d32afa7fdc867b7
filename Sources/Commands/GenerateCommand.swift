// workq generate: writes manual pages and completions. Hidden: it serves the build, not users.

import Options
import Posix

/// `workq generate`: the files that are made from the command table, written below a directory.
enum GenerateCommand: Subcommand {
    static let name = "generate"

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var directory = ""
    }

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            summary: "write manual pages and completions",
            synopses: ["generate DIRECTORY"],
            operands: [.required(.directory, into: \.directory, "where man and completions are, or are made")],
            optionGroups: [("General options", CommonOptions.options.map { $0.within(\.common) })],
            isHidden: true)
    }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        for folder in ["man", "completions", ".packaging", ".packaging/systemd"] {
            let path = "\(values.directory)/\(folder)"
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure(path) }
        }
        for file in GeneratedFiles.all {
            try write(file.contents, to: "\(values.directory)/\(file.path)")
        }
        return .done
    }

    private static func write(_ contents: String, to path: String) throws(CommandError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var file = CommandContext(processName: "")
        file.standardOutput = descriptor
        try file.write(contents)
    }

    private static func failure(_ path: String) -> CommandError {
        CommandError(.inputOutputError, "cannot write \(path): \(SystemError.text(errno))")
    }
}

extension ValueFormat where Value == String {
    fileprivate static var directory: Self {
        Self("DIRECTORY", expectation: "a directory's path", completion: .directory) { $0.isEmpty ? nil : $0 }
    }
}
