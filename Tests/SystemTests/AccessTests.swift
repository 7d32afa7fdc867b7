// Logins, permissions, secrets and TLS.

import Foundation
import TestSupport
import Testing

@Suite("access", .serialized, .timeLimit(.minutes(5)))
struct AccessTests {
    private func elapsed(_ body: () async throws -> Void) async rethrows -> Duration {
        let start = ContinuousClock.now
        try await body()
        return ContinuousClock.now - start
    }

    @Test("S1 a wrong password and an unknown vhost are 77, after one attempt, and say what to check")
    func wrongLogin() async throws {
        let fixture = try Fixture()
        let port = fixture.broker.port
        let password = try await fixture.run(
            "publish", "q", "x", environment: ["WORKQ_URL": "amqp://guest:canary@127.0.0.1:\(port)"])
        #expect(password.status == 77 && password.errors.contains("password is wrong"), "\(password)")
        #expect(!password.errors.contains("canary"))
        let vhost = try await fixture.run("publish", "q", "x", "--vhost", "nowhere")
        #expect(vhost.status == 77 && vhost.errors.contains("nowhere"), "\(vhost)")
        let worker = try await fixture.run("work", "q", "--vhost", "nowhere", "--", "true")
        #expect(worker.status == 77, "\(worker)")
    }

    @Test("S1 a missing permission is 77 and named")
    func missingPermission() async throws {
        let fixture = try Fixture()
        let user = "user-\(fixture.queue)"
        try await fixture.broker.ctl("add_user", user, "secret")
        let login = ["WORKQ_URL": "amqp://\(user):secret@127.0.0.1:\(fixture.broker.port)"]
        try await fixture.publish(["x"])

        try await fixture.broker.ctl("set_permissions", user, "^$", "^$", "^$")
        let write = try await fixture.run("publish", fixture.queue, "x", environment: login)
        #expect(write.status == 77 && write.errors.contains("write to exchange \"amq.default\""), "\(write)")
        let read = try await fixture.run(
            "work", fixture.queue, "--max-attempts", "1", "--", "true", environment: login)
        #expect(read.status == 77 && read.errors.contains("read from queue \"\(fixture.queue)\""), "\(read)")

        try await fixture.broker.ctl("set_permissions", user, "^$", ".*", ".*")
        let missing = fixture.anotherQueue("missing")
        let configure = try await fixture.run("publish", missing, "x", environment: login)
        #expect(configure.status == 77 && configure.errors.contains("configure queue \"\(missing)\""), "\(configure)")
        let existing = try await fixture.run("publish", fixture.queue, "x", environment: login)
        #expect(existing.status == 0, "\(existing)")
    }

    @Test("no broker is 69 within the connect timeout, and asks the right question")
    func noBroker() async throws {
        let fixture = try Fixture()
        let time = try await elapsed {
            let result = try await fixture.run(
                "publish", "q", "x", "--url", "amqp://127.0.0.1:1", "--connect-timeout", "2s")
            #expect(result.status == 69 && result.errors.contains("Is RabbitMQ running?"), "\(result)")
            let worker = try await fixture.run("work", "q", "--url", "amqp://127.0.0.1:1", "--", "true")
            #expect(worker.status == 69, "\(worker)")
            let several = try await fixture.run(
                "publish", fixture.queue, "x", "--url", "amqp://127.0.0.1:1", "--url", fixture.broker.url)
            #expect(several.status == 0, "\(several)")
        }
        #expect(time < .seconds(20))
    }

    @Test("S2 without a login, guest is tried on this machine only")
    func guestOnlyHere() async throws {
        let fixture = try Fixture()
        let here = try await fixture.run(
            "publish", fixture.queue, "x", "--url", "amqp://127.0.0.1:\(fixture.broker.port)")
        #expect(here.status == 0, "\(here)")
        let elsewhere = try await fixture.run("publish", "q", "x", "--url", "amqp://broker.example.net")
        #expect(elsewhere.status == 64 && elsewhere.errors.contains("guest"), "\(elsewhere)")
    }

    @Test("S3 a password in a URL on the command line can't be read from outside")
    func commandLine() async throws {
        let fixture = try Fixture()
        let url = "amqp://guest:guest@127.0.0.1:\(fixture.broker.port)"
        let worker = try fixture.start("work", fixture.queue, "--url", url, "--", "true")
        try await eventually("the worker consumes") { fixture.consumers() == 1 }
        let words = try String(contentsOfFile: "/proc/\(worker.pid)/cmdline", encoding: .utf8)
        #expect(words.contains("amqp://guest:*****@127.0.0.1") && !words.contains("guest:guest"), "\(words)")
        worker.signal(SIGTERM)
        _ = try await worker.wait()
    }

    @Test("S4 S6 no password reaches a command's environment, a log or an error")
    func secretsStayInside() async throws {
        let fixture = try Fixture()
        let user = "user-\(fixture.queue)"
        try await fixture.broker.ctl("add_user", user, "canary%s")
        try await fixture.broker.ctl("set_permissions", user, ".*", ".*", ".*")
        let url = "amqp://\(user):canary%25s@127.0.0.1:\(fixture.broker.port)"
        try await fixture.publish(["x"])
        let secrets = [
            "WORKQ_URL": url, "AMQP_URL": url, "CLOUDAMQP_URL": url, "WORKQ_API_URL": url,
            "WORKQ_PASSWORD_FILE": "/canary",
        ]
        let result = try await fixture.run(
            "work", "-v", fixture.queue, "--drain", "--", "env", environment: secrets.merging(["KEPT": "yes"]) { $1 })
        #expect(result.status == 0 && result.text.contains("KEPT=yes"), "\(result)")
        #expect(!result.text.contains("canary") && !result.errors.contains("canary"), "\(result)")
        let refused = try await fixture.run(
            "publish", "q", "x", "-v", "--vhost", "nowhere", environment: ["WORKQ_URL": url])
        #expect(refused.status == 77 && !refused.errors.contains("canary"), "\(refused)")
        let invalid = try await fixture.run("publish", "q", "x", environment: ["WORKQ_URL": "amqp://u:canary@h:99999"])
        #expect(invalid.status == 64 && !invalid.errors.contains("canary"), "\(invalid)")
    }

    @Test("S5 a password file that others can read is refused, one that is private works")
    func passwordFile() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let url = ["WORKQ_URL": "amqp://guest@127.0.0.1:\(fixture.broker.port)"]
        let open = try folder.write("guest\n", to: "open", mode: 0o644)
        let refused = try await fixture.run("publish", fixture.queue, "x", "--password-file", open, environment: url)
        #expect(refused.status == 78 && refused.errors.contains("chmod 600"), "\(refused)")
        let closed = try folder.write("guest\n", to: "closed")
        let variables = ["WORKQ_URL": "", "CLOUDAMQP_URL": url["WORKQ_URL"] ?? "", "WORKQ_PASSWORD_FILE": closed]
        let byEnvironment = try await fixture.run("publish", fixture.queue, "x", environment: variables)
        #expect(byEnvironment.status == 0, "\(byEnvironment)")
        let result = try await fixture.run("publish", fixture.queue, "x", "--password-file", closed, environment: url)
        #expect(result.status == 0, "\(result)")
    }
}
