// URLs: whatever is accepted or refused, the password in it is shown nowhere.

import Broker
import Management

@testable import Commands

@Sendable func readURL(_ bytes: [UInt8]) {
    let text = bytes.text
    let word = Array(text.utf8)
    let password: Secret?
    do throws(BrokerURL.Invalid) {
        let url = try BrokerURL(text)
        require(!url.host.isEmpty && url.port > 0, "a URL without host or port is accepted")
        password = url.password
        checkShown(url.redacted, word, "the URL without its password")
    } catch {
        checkShown(error.reason, word, "the reason")
        do throws(BrokerURL.Invalid) {
            let url = try ManagementURL(text)
            require(url.endpoint.prefix.last != "/", "the path ends in a slash")
            password = url.password
            checkShown(url.endpoint.description, word, "the address")
        } catch {
            checkShown(error.reason, word, "the reason")
            return
        }
    }
    guard let password, !password.revealed.isEmpty else { return }
    guard let range = Tool.passwordRange(in: word) else { return require(false, "the password isn't found") }
    let found = try? URLParts.decode(word[range], "the password")
    require(found == password.revealed, "another password is found")
    // A message has spaces around a URL, so one with spaces in it isn't one word there.
    guard !word.contains(UInt8(ascii: " ")) else { return }
    checkShown(Tool.hidingPasswords(in: "cannot use \(text) here"), word, "a message")
}

/// That what is shown doesn't hold what may be a password in `url`: long, so that it isn't there by chance.
private func checkShown(_ shown: String, _ url: [UInt8], _ what: String) {
    guard let start = url.firstRange(of: "://".utf8)?.upperBound, let at = url.lastIndex(of: UInt8(ascii: "@")),
        start < at, let colon = url[start..<at].firstIndex(of: UInt8(ascii: ":")), at - colon > 9
    else { return }
    let password = url[(colon + 1)..<at]
    // The same text may stand elsewhere, too, where it is no password.
    guard url.ranges(of: password).count == 1 else { return }
    require(Array(shown.utf8).firstRange(of: password) == nil, "\(what) shows the password: \(shown)")
}
