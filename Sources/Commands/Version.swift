// The versions that `workq --version` shows.

import Broker

/// workq's version.
enum Version {
    static let workq = "0.1.0"

    /// One line: workq's version and that of the librabbitmq in use.
    static var text: String { "workq \(workq) (librabbitmq \(Library.version))\n" }
}
