// What is installed beside the program: units that systemd accepts, and an installation that can be taken away again.

import Foundation
import TestSupport
import Testing

@Suite("Packaging") struct PackagingTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    @Test("systemd has nothing to complain about in the units")
    func units() async throws {
        let folder = try TemporaryFolder()
        for (name, instance) in [
            ("workq-work@.service", "workq-work@thumbnails.service"),
            ("workq-flush@.service", "workq-flush@root.service"),
            ("workq-flush@.timer", "workq-flush@root.timer"),
        ] {
            let text = try String(contentsOfFile: "\(Self.root)/.packaging/systemd/\(name)", encoding: .utf8)
            let local = text.replacing("/usr/bin/workq", with: WorkqProcess.executable)
            for file in [name, instance] {
                try local.write(toFile: folder.path(file), atomically: true, encoding: .utf8)
            }
            let complaints = try await Shell.run([
                "sh", "-c", "systemd-analyze verify --man=no '\(folder.path(instance))' 2>&1",
            ])
            #expect(complaints == "", "\(name)")
        }
    }

    @Test("make install copies what was built, uninstall takes it away, and without a build it says what to do")
    func install() async throws {
        let folder = try TemporaryFolder()
        let words = ["make", "-C", Self.root, "DESTDIR=\(folder.path("."))", "PREFIX=/opt/workq"]
        func files() async throws -> [String] {
            try await Shell.run(["find", folder.path("opt"), "-type", "f"]).split(separator: "\n").map(String.init)
        }
        _ = try await Shell.run(words + ["release_binary=\(WorkqProcess.executable)", "install"])
        let installed = try await files()
        for end in [
            "/bin/workq", "/man1/workq.1", "/man1/workq-work.1", "/completions/workq", "/_workq", "/workq.fish",
            "/systemd/system/workq-work@.service", "/systemd/system/workq-flush@.timer",
        ] {
            #expect(installed.contains { $0.hasSuffix(end) }, "\(end) is not among \(installed)")
        }
        let unit = try String(
            contentsOfFile: folder.path("opt/workq/lib/systemd/system/workq-work@.service"), encoding: .utf8)
        #expect(unit.contains("ExecStart=/opt/workq/bin/workq work"))
        _ = try await Shell.run(words + ["uninstall"])
        #expect(try await files() == [])
        let refusal = try await Shell.run([
            "sh", "-c", "make -C '\(Self.root)' release_binary=/nowhere install 2>&1 || :",
        ])
        #expect(refusal.contains("run make release first"))
    }
}
