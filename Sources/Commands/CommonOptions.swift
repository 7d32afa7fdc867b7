// Options that every command understands.

import Options

/// How much a command says about itself.
struct CommonOptions {
    var isQuiet = false
    var isVerbose = false

    static var options: [Option<CommonOptions>] {
        [
            .flag("-q", "--quiet", sets: \.isQuiet, to: true, "say nothing but errors"),
            .flag("-v", "--verbose", sets: \.isVerbose, to: true, "say more"),
            .help,
        ]
    }
}
