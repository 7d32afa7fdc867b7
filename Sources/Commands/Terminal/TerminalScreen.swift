// A terminal taken over for a full screen, and given back as it was.

import Posix

/// The alternate screen of a terminal, with keys read as they are pressed.
final class TerminalScreen {
    /// Where keys come from, to poll for reading; nil when standard input is no terminal.
    let keyboard: Int32?
    private let output: Int32
    private let isColored: Bool
    private var saved = termios()
    private var isEntered = false

    init(in context: CommandContext) {
        keyboard = context.isTerminal(context.standardInput) ? context.standardInput : nil
        output = context.standardOutput
        isColored = TerminalStyle(context, descriptor: context.standardOutput).hasColour
    }

    deinit {
        leave()
    }

    /// Rows and columns as they are now.
    var size: (height: Int, width: Int) { Self.size(of: output) }

    /// Rows and columns of a terminal; 24 × 80 where it doesn't say.
    static func size(of descriptor: Int32) -> (height: Int, width: Int) {
        var window = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return (24, 80)
        }
        return (Int(window.ws_row), Int(window.ws_col))
    }

    /// Switches to the alternate screen. Ctrl-C and Ctrl-Z go on to make signals.
    func enter() {
        guard !isEntered else { return }
        isEntered = true
        if let keyboard, tcgetattr(keyboard, &saved) == 0 {
            var raw = saved
            raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
            tcsetattr(keyboard, TCSADRAIN, &raw)
        }
        // The alternate screen, no cursor, no wrapping at the edge.
        write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l")
    }

    /// Puts everything back.
    func leave() {
        guard isEntered else { return }
        isEntered = false
        write("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        if let keyboard {
            // What was typed meanwhile isn't meant for the shell.
            tcsetattr(keyboard, TCSAFLUSH, &saved)
        }
    }

    /// Draws as many lines as the screen has, the one at `emphasized` so that it stands out.
    func draw(_ lines: [String], width: Int, emphasized: Int) {
        var text = "\u{1B}[H"
        for (index, line) in lines.enumerated() {
            let isEmphasized = isColored && index == emphasized
            text += isEmphasized ? "\u{1B}[1m\(line)\u{1B}[0m" : line
            // Behind a full line the cursor stands on its last character, which this would erase.
            if line.displayWidth < width { text += "\u{1B}[K" }
            if index < lines.count - 1 { text += "\r\n" }
        }
        write(text)
    }

    /// The bytes that were typed. Empty too when the terminal is gone.
    func keys() -> [UInt8] {
        guard let keyboard else { return [] }
        var buffer: [UInt8] = Array(repeating: 0, count: 64)
        let count = workq_read(keyboard, &buffer, buffer.count)
        return count > 0 ? Array(buffer[..<count]) : []
    }

    private func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { bytes in
                bytes.baseAddress.map { workq_write(output, $0, bytes.count) } ?? 0
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
