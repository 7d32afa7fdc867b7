// Every command that the README and the manual show is run on the private broker, as a reader would paste it.

import Foundation
import TestSupport
import Testing

/// A script of the README or of a manual page.
struct DocumentedScript: CustomTestStringConvertible, Sendable {
    var place: String
    var text: String
    var testDescription: String { "\(place): \(text.prefix(60))" }

    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let all: [DocumentedScript] = {
        let readme = (try? String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)) ?? ""
        let manual = root.appendingPathComponent("man")
        let pages = ((try? FileManager.default.contentsOfDirectory(atPath: manual.path)) ?? []).sorted()
        return blocks(ofMarkdown: readme).map { DocumentedScript(place: "README", text: $0) }
            + pages.flatMap { page in
                let source = (try? String(contentsOf: manual.appendingPathComponent(page), encoding: .utf8)) ?? ""
                return examples(ofManual: source).map { DocumentedScript(place: page, text: $0) }
            }
    }()

    /// Blocks of indented lines.
    private static func blocks(ofMarkdown text: String) -> [String] {
        var blocks: [String] = []
        var isInside = false
        for line in text.components(separatedBy: "\n") {
            if line.hasPrefix("    ") {
                let code = String(line.dropFirst(4))
                if isInside { blocks[blocks.count - 1] += "\n" + code } else { blocks.append(code) }
                isInside = true
            } else if !line.isEmpty || !isInside {
                isInside = false
            } else {
                blocks[blocks.count - 1] += "\n"
            }
        }
        return blocks.map { $0.trimmingCharacters(in: .newlines) }
    }

    /// The literal blocks of the chapter EXAMPLES.
    private static func examples(ofManual source: String) -> [String] {
        guard let chapter = source.components(separatedBy: "\n.Sh EXAMPLES\n").dropFirst().first else { return [] }
        let text = chapter.components(separatedBy: "\n.Sh ")[0]
        return text.components(separatedBy: ".Bd -literal -offset indent\n").dropFirst().map { block in
            let escapes = [
                ("\\&", ""), ("\\-", "-"), ("\\(aq", "'"), ("\\(dq", "\""), ("\\(ga", "`"), ("\\(ha", "^"),
                ("\\(ti", "~"), ("\\e", "\\"),
            ]
            return escapes.reduce(block.components(separatedBy: "\n.Ed")[0]) { $0.replacing($1.0, with: $1.1) }
        }
    }

    /// Whether these are lines of a crontab.
    var isCrontab: Bool { text.contains("@daily ") }

    /// Files to be written or read by root, make, and worker scripts are no commands of workq to run here.
    var isRunnable: Bool {
        !text.hasPrefix("#!") && !text.contains("/etc/workq") && !text.contains("make ") && !text.contains("brew ")
            && !text.hasPrefix("Tests/")
    }
}

/// What the text around a script promises, beyond a status of 0.
struct DocumentedPromise: Sendable {
    /// A piece of the script, which finds it.
    var piece: String
    /// Shell that runs before the script, on a broker with the usual queues.
    var before = ""
    /// Shell that checks what the script has done; a status other than 0 fails.
    var after = ""
    /// A piece of what the script prints.
    var prints = ""
}

@Suite("Documentation") struct DocumentationTests {
    static let promises = [
        DocumentedPromise(
            piece: "workq work thumbnails --jobs 4 -- ./make-thumbnail",
            after: "test -e small-photo-1.jpg && test -e small-photo-3.jpg && holds thumbnails 0"),
        DocumentedPromise(
            piece: "workq work urgent thumbnails -- ./make-thumbnail",
            before: "workq publish urgent photo-77.jpg",
            after: "test -e small-photo-77.jpg && holds urgent 0 && holds thumbnails 0"),
        DocumentedPromise(
            piece: "convert \"$photo\"", after: "test -e small-photo-1.jpg && holds thumbnails 0"),
        DocumentedPromise(piece: "workq publish reports daily ||", after: "holds reports 1"),
        DocumentedPromise(piece: "--null thumbnails", after: "holds thumbnails 13"),
        DocumentedPromise(
            piece: "--move-to thumbnails --drain", after: "holds thumbnails.dead 0"),
        DocumentedPromise(piece: "--batch 500 -- ./load-into-database", after: "test \"$(cat loaded)\" = 3"),
        DocumentedPromise(piece: "--count 1 --idle-timeout 5s", after: "holds thumbnails 11"),
        DocumentedPromise(piece: "--wait 'messages", before: "workq purge -q thumbnails thumbnails.dead >/dev/null"),
        DocumentedPromise(
            piece: "--backup dead.ndjson",
            before: "echo '{\"body\": \"x\", \"headers\": {\"x-workq-reason\": \"exit status 1\"}}' |"
                + " workq publish --ndjson thumbnails.dead",
            after: "holds thumbnails.dead 0 && holds thumbnails 14",
            prints: "exit status 1"),
        DocumentedPromise(
            piece: "--expect 1204", before: "seq 1192 | workq publish --lines thumbnails", prints: "1204"),
        DocumentedPromise(piece: "--consumers == 0", prints: "CRITICAL"),
        DocumentedPromise(piece: "--dry-run", after: "holds test-1 1"),
        DocumentedPromise(
            piece: "--baseline", before: "\"$WORKQ\" bench --messages 500 --warm-up 0 --format json -q > before.json"),
        DocumentedPromise(
            piece: "bench --keep --queue backlog", prints: "all 20,000 messages arrived, once and in order"),
        DocumentedPromise(piece: "--if-unused --if-empty", before: "workq purge -q thumbnails >/dev/null"),
        DocumentedPromise(
            piece: "--wait-reply 30s",
            before: "echo answered > photo.jpg && workq purge -q thumbnails >/dev/null && "
                + "{ \"$WORKQ\" work --reply -q --count 1 thumbnails -- cat >/dev/null 2>&1 & }",
            after: "holds thumbnails 0", prints: "answered"),
        DocumentedPromise(piece: "publish --check", prints: "write to exchange"),
        DocumentedPromise(piece: "--peek 3", after: "holds thumbnails.dead 1", prints: "\"body\":\"photo-99.jpg\""),
        DocumentedPromise(
            piece: "--move-back",
            before: "workq work -q thumbnails --count 1 --max-attempts 1 --timeout 1ms -- sleep 9 || test $? = 1",
            after: "holds thumbnails.dead 1 && holds thumbnails 12"),
        DocumentedPromise(piece: "--backup thumbnails.ndjson", before: "rm thumbnails.ndjson"),
    ]

    /// Puts workq's ways of waiting for ever to an end, and keeps statuses that tell about the queues from ending a
    /// script.
    private static let wrapper = """
        #!/bin/sh
        real=\(WorkqProcess.executable)
        case " $* " in
        *' work '*)
            case " $* " in
            *' --drain '* | *' --idle-timeout '* | *' --peek '* | *' --move-back '*) exec "$real" "$@" ;;
            esac
            shift && exec "$real" work --idle-timeout 4s "$@" ;;
        *' --watch '*)
            timeout 2 "$real" "$@" --interval 200ms | head -n 1
            exit 0 ;;
        *' --crit '*)
            status=0 && "$real" "$@" || status=$?
            [ "$status" -le 3 ] ;;
        *' bench --keep '* | *' bench --consumers-only '*) exec "$real" "$@" ;;
        *' bench '*)
            shift
            status=0 && "$real" bench "$@" --duration 1s --warm-up 100ms || status=$?
            [ "$status" -le 1 ] ;;
        *) exec "$real" "$@" ;;
        esac

        """

    private static let programs = [
        "workq": wrapper,
        "convert": "#!/bin/sh\nfor last; do :; done; touch \"$last\"\n",
        "try-it": "#!/bin/sh\ncat\n",
        "make-thumbnail": (DocumentedScript.all.first { $0.text.hasPrefix("#!") }?.text ?? "") + "\n",
        "load-into-database": "#!/bin/sh\nwc -l | tr -d ' ' > loaded\n",
    ]

    /// Written once: a program that another test starts just then would hold a file open that was written a moment ago,
    /// and what is open for writing can't be run.
    private static let installed = Result {
        let folder = try TemporaryFolder()
        for (name, text) in programs { try folder.write(text, to: name, mode: 0o755) }
        return folder
    }

    /// Twelve tasks on thumbnails, three on events, and what else the scripts speak of.
    private static let setting = """
        set -eu
        ready() { workq list-queues --silent --queue "$1" messages_ready; }
        holds() { for i in $(seq 40); do test "$(ready "$1")" = "$2" && return; sleep 0.25; done; workq list-queues; return 1; }
        seq 12 | sed 's/.*/photo-&.jpg/' | workq publish --lines thumbnails
        workq publish thumbnails.dead photo-99.jpg
        workq publish test-1 x
        seq 3 | workq publish --lines events
        seq 3 > orders.txt; seq 3 > all.txt; seq 3 > rest.txt; seq 3 > photos.txt; touch a.jpg
        echo '{"body": "photo-1.jpg"}' | tee backup.ndjson > thumbnails.ndjson

        """ + (ThrowawayBroker.usualQueueType == .classic ? "" : oldCounts)
    /// What a list says of a quorum queue is up to 5 seconds old.
    private static let oldCounts = "holds thumbnails 12; holds thumbnails.dead 1; holds test-1 1; holds events 3\n"

    @Test("every script is found, and each promise is about one")
    func promisesHold() {
        #expect(DocumentedScript.all.count > 30)
        for promise in Self.promises where promise.piece != "--consumers == 0" {
            #expect(DocumentedScript.all.contains { $0.text.contains(promise.piece) }, "\(promise.piece)")
        }
    }

    @Test("a script runs as it stands and does what the text says", arguments: DocumentedScript.all)
    func runs(script: DocumentedScript) async throws {
        let folder = try TemporaryFolder()
        guard script.isRunnable else {
            _ = try await Shell.run(["sh", "-n", "-c", script.text])
            return
        }
        let broker = try ThrowawayBroker.shared.get()
        let vhost = "documentation-\(UUID().uuidString.prefix(8))"
        try await Self.request(broker, "PUT", "vhosts/\(vhost)", "{}")
        let permissions = #"{"configure":".*","write":".*","read":".*"}"#
        try await Self.request(broker, "PUT", "permissions/\(vhost)/guest", permissions)
        let installed = try Self.installed.get()
        for name in Self.programs.keys {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path(name), withDestinationPath: installed.path(name))
        }
        let promises = Self.promises.filter { script.text.contains($0.piece) }
        let text = script.isCrontab ? Self.crontabCommands(script.text) : script.text
        let local = text.replacing(/amqps?:\/\/[^ '\n]*broker\.example\.net[^ '\n]*/, with: broker.url + vhost)
            .replacing("/var/spool", with: folder.path("spool"))
        let lines = ["cd \(folder.path("."))", Self.setting, promises.map(\.before).joined(separator: "\n")]
        let rest = ["exec 2>&1", local] + promises.filter { !$0.after.isEmpty }.map { "{ \($0.after); }" }
        let environment = [
            "PATH": "\(folder.path(".")):/usr/local/bin:/usr/bin:/bin", "HOME": folder.path("."),
            "WORKQ": WorkqProcess.executable, "WORKQ_URL": broker.url + vhost, "WORKQ_API_URL": broker.apiURL,
        ]
        let output = try await Shell.run(
            ["sh", "-c", (lines + rest).joined(separator: "\n")], environment: environment, timeout: .seconds(150))
        try await Self.request(broker, "DELETE", "vhosts/\(vhost)", "")
        for promise in promises where !promise.prints.isEmpty {
            #expect(output.contains(promise.prints), "\(script.text)\n\(output)")
        }
    }

    /// What cron would run, in the environment that the crontab sets.
    private static func crontabCommands(_ text: String) -> String {
        text.components(separatedBy: "\n").map { line in
            if line.hasPrefix("@daily ") { return String(line.dropFirst("@daily ".count)) }
            if line.hasPrefix("* ") { return line.split(separator: " ", maxSplits: 5).last.map(String.init) ?? "" }
            // The stand-ins for programs are found by the PATH that the test has set.
            return line.hasPrefix("PATH=") ? "" : line
        }.joined(separator: "\n")
    }

    private static func request(
        _ broker: ThrowawayBroker, _ method: String, _ path: String, _ body: String
    ) async throws {
        try await Shell.run([
            "curl", "-sSf", "-o", "/dev/null", "-X", method, "-H", "content-type: application/json", "-d", body,
            "\(broker.apiURL)/api/\(path)",
        ])
    }
}
