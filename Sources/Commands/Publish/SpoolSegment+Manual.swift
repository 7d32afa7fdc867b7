// How the manual describes a spool.

import Options

extension SpoolSegment {
    /// The chapter of the manual on what is in the folder of `--spool`.
    static let manualSection = ManualSection(
        title: "The spool",
        paragraphs: [
            "The folder of `--spool` holds files of up to 1,000 tasks for one destination. It must be yours, or "
                + "root's, and nobody else may be able to write to it; what isn't a regular file of yours is never "
                + "delivered. "
                + "Files that a crash left half written are removed.",
            "Tasks for a queue that is missing or full stay for the next time. What can't be delivered at all is told, "
                + "with status 3, and renamed so that it is in nobody's way:",
        ],
        terms: [
            (
                "NUMBER.tasks.refused",
                "tasks that the broker refused, as to an exchange that doesn't exist. Once the cause is mended, "
                    + "`tail -n +2 FILE | workq publish --ndjson QUEUE` publishes them, and the file can go"
            ),
            (
                "NUMBER.tasks.bad",
                "a file that is damaged, of another version of workq, or no spool file. What is whole of its tasks can "
                    + "be published in the same way"
            ),
        ])
}
