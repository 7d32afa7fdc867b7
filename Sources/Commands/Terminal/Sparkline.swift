// Numbers as a line of blocks.

/// A line that shows how values go up and down, from zero to their greatest.
enum Sparkline {
    private static let blocks = Array("▁▂▃▄▅▆▇█")
    private static let plain = Array("_.-:=+*#")

    /// A character a value; nothing but spaces and ASCII where the terminal shows no other.
    static func text(_ values: [Double], isUnicode: Bool) -> String {
        let levels = isUnicode ? blocks : plain
        let greatest = values.max() ?? 0
        return String(
            values.map { value in
                guard value > 0, greatest > 0 else { return " " }
                return levels[min(levels.count - 1, Int(value / greatest * Double(levels.count)))]
            })
    }
}
