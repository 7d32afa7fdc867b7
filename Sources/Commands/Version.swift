// The versions that `workq --version` shows.

import Broker
import Posix

/// workq's version.
enum Version {
    static let workq = "0.2.0"
    /// The day of the release, which the manual pages carry.
    static let date = "November 26, 2026"

    /// One line: workq's version, that of the librabbitmq in use, and the commit that it was built from where the build
    /// knew. libcurl isn't opened for this.
    static var text: String {
        let commit = String(cString: workq_commit())
        return "workq \(workq) (librabbitmq \(Library.version)\(commit.isEmpty ? "" : ", commit \(commit)"))\n"
    }
}
