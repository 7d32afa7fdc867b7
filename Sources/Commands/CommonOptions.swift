// Options that every command understands.

import Options

/// How much a command says about itself.
struct CommonOptions {
    var isQuiet = false
    /// How often `--verbose` was given.
    private(set) var verbosity = 0
    /// Set once more, it says even more.
    var isVerbose: Bool {
        get { verbosity > 0 }
        set { verbosity = newValue ? verbosity + 1 : 0 }
    }

    static var options: [Option<CommonOptions>] {
        [
            .flag("-q", "--quiet", sets: \.isQuiet, to: true, "say nothing but errors"),
            .flag("-v", "--verbose", sets: \.isVerbose, to: true, "say more"),
            .help,
        ]
    }
}
