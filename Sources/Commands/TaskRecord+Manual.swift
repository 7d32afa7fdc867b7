// How the manual describes tasks as JSON.

import Options

extension TaskRecord {
    /// The chapter of the manual for commands that read or write tasks as JSON.
    static let manualSection = ManualSection(
        title: "Tasks as JSON",
        paragraphs: [
            "A line holds a task as a JSON object, such as `{\"body\":\"photo-17.jpg\",\"headers\":{\"size\":200}}`. "
                + "Backups are made of such lines, and publishing one gives back the same tasks, byte for byte. Where "
                + "`delivery_mode`, `timestamp` or `message_id` is null, the task gets none, which it would otherwise.",
            "Types of header that JSON lacks are objects with one key: `$int8`, `$uint8`, `$int16`, `$uint16`, "
                + "`$int32`, `$uint32`, `$uint64`, `$float` and `$timestamp` with a number, `$decimal` with a text "
                + "such "
                + "as `\"3.14\"`, `$double` with `\"inf\"`, `\"-inf\"` or `\"nan\"`, `$bytes_base64` with bytes, "
                + "`$string_base64` with a text that isn't UTF-8, and `$table` with an array of pairs of name and "
                + "value, "
                + "for names that JSON can't say or that repeat. Properties and names that aren't UTF-8 are "
                + "written as `$string_base64` too.",
        ],
        terms: [
            ("body", "the task, as text"),
            ("body_base64", "the task as Base64, instead of `body`: for bytes that aren't UTF-8"),
            (
                "headers",
                "an object of names and values. A whole number becomes AMQP's 64-bit one, a number with a fraction or "
                    + "an "
                    + "exponent a double, `null` a void"
            ),
            ("delivery_mode", "1 for a task that a restart of the broker may lose, 2 for one that it may not"),
            ("priority", "0 to 255"),
            ("expiration", "the time to live in milliseconds"),
            ("timestamp", "seconds since 1970"),
            ("user_id", "the broker refuses a task whose user isn't the one who publishes it"),
            (
                "content_type, content_encoding, correlation_id, reply_to, message_id, type, app_id, cluster_id",
                "the property of that name, up to 255 bytes"
            ),
        ])
}
