// Environments as tests write them.

import Posix

extension Environment {
    package init(_ variables: [String: String]) {
        self.init(variables.map { Array("\($0.key)=\($0.value)".utf8) })
    }
}
