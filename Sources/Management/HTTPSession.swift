// Requests over libcurl: the only place that calls it.

import Broker
import CCurl
import Posix

/// How long an answer may take: as long as it usually may, and not beyond what the caller gives.
struct TimeLimit {
    private let start = Instant.now
    let deadline: Instant

    init(_ timeout: Duration, by deadline: Instant) {
        self.deadline = min(start + timeout, deadline)
    }

    var isOver: Bool { deadline <= .now }

    /// The time that there was, for people.
    var text: String {
        let time = (deadline - start).milliseconds
        return Duration.milliseconds(time < 100 ? time : (time + 99) / 100 * 100).description
    }
}

/// What is asked for, of whom.
struct HTTPRequest {
    var url: String
    /// Whom the certificate must name.
    var host: String
    /// `Name: value`. Texts end at a NUL, so none may hold one.
    var headers: [String]
    var tls: ConnectionParameters.TLS
    /// For connecting, TLS included.
    var connectTimeout: Duration
    var limit: TimeLimit
}

/// What comes before a reply's body.
struct HTTPReplyHead {
    var status: Int
    var contentType: String
    /// nil where it isn't announced.
    var contentLength: Int?
}

/// Why there is no whole reply, in libcurl's terms.
struct HTTPFailure: Error {
    var code: CURLcode
    /// The system's error number, 0 where it isn't the reason.
    var systemError: Int32
    /// OpenSSL's verdict on the peer's certificate, where it came to one.
    var verification: Int
    /// libcurl's own words.
    var explanation: String
}

/// A session of libcurl: one request at a time, whose connection is kept for the next one.
struct HTTPSession: ~Copyable {
    private let handle: UnsafeMutableRawPointer

    /// Whether this machine has libcurl. It is opened when this is first asked.
    static var isAvailable: Bool { workq_curl_open() }

    /// nil when there is no memory. Call only where libcurl is available.
    init?() {
        guard let handle = workq_curl_easy_init() else { return nil }
        self.handle = handle
        // Signals are the caller's, and libcurl's own time limits don't need them.
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS)
        // Following would carry the login to wherever a reply points, and so would a proxy from the environment.
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        set(CURLOPT_HTTP09_ALLOWED, 0)
        set(CURLOPT_USERAGENT, "workq")
        set(CURLOPT_BUFFERSIZE, 64 << 10)
    }

    deinit {
        workq_curl_easy_cleanup(handle)
    }

    /// Sends a GET request and hands the reply's body on as it comes, to a receiver that may throw to end it. Returns
    /// the reply's head once the whole reply has come.
    mutating func get(
        _ request: HTTPRequest, receive: (HTTPReplyHead, UnsafeRawBufferPointer) throws -> Void
    ) throws -> HTTPReplyHead {
        set(CURLOPT_URL, request.url)
        set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.connectTimeout))
        set(CURLOPT_TIMEOUT_MS, Self.milliseconds(request.limit.deadline - .now))
        apply(request.tls)
        let headers = HeaderList(request.headers)
        workq_curl_set_headers(handle, headers.first)
        defer { workq_curl_set_headers(handle, nil) }
        return try withExplanation { explanation in
            try withoutActuallyEscaping(receive) { receive in
                let transfer = Transfer(handle, receive)
                // libcurl hands the pointer back only while it performs, and the transfer outlives that.
                let code = withExtendedLifetime(transfer) {
                    workq_curl_perform(
                        handle,
                        { bytes, count, context in
                            guard let context else { return false }
                            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                            return transfer.take(UnsafeRawBufferPointer(start: bytes, count: count))
                        }, Unmanaged.passUnretained(transfer).toOpaque())
                }
                if let fault = transfer.fault { throw fault }
                guard code == CURLE_OK else { throw failure(code, explanation.baseAddress) }
                return transfer.head
            }
        }
    }

    /// 0 would mean libcurl's own limit.
    private static func milliseconds(_ time: Duration) -> Int {
        Int(min(max(1, time.milliseconds), Int64(Int32.max)))
    }

    /// The same settings as for AMQP: TLS 1.2 at least, verification unless it is turned off.
    private func apply(_ tls: ConnectionParameters.TLS) {
        set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        set(CURLOPT_SSL_VERIFYPEER, tls.verifiesPeer ? 1 : 0)
        set(CURLOPT_SSL_VERIFYHOST, tls.verifiesPeer ? 2 : 0)
        if let file = tls.caCertificateFile {
            set(CURLOPT_CAINFO, file)
            // Else the system's authorities would be trusted besides.
            set(CURLOPT_CAPATH, nil)
        } else {
            // libcurl leaves OpenSSL's variables to its callers.
            if let file = Self.variable("SSL_CERT_FILE") { set(CURLOPT_CAINFO, file) }
            if let folder = Self.variable("SSL_CERT_DIR") { set(CURLOPT_CAPATH, folder) }
        }
        guard let certificate = tls.certificateFile else { return }
        set(CURLOPT_SSLCERT, certificate)
        set(CURLOPT_SSLKEY, tls.keyFile ?? certificate)
        // Without a pass phrase of its own, OpenSSL would ask for one on the terminal or on standard input.
        set(CURLOPT_KEYPASSWD, "")
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).flatMap { $0.pointee == 0 ? nil : String(cString: $0) }
    }

    private func withExplanation<Result>(
        _ body: (UnsafeMutableBufferPointer<CChar>) throws -> Result
    ) throws -> Result {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { buffer in
            buffer.initialize(repeating: 0)
            workq_curl_set_explanation(handle, buffer.baseAddress)
            defer { workq_curl_set_explanation(handle, nil) }
            return try body(buffer)
        }
    }

    private func failure(_ code: CURLcode, _ explanation: UnsafePointer<CChar>?) -> HTTPFailure {
        let explanation = explanation.map { String(cString: $0) } ?? ""
        return HTTPFailure(
            code: code, systemError: Int32(clamping: workq_curl_number(handle, CURLINFO_OS_ERRNO)),
            verification: workq_curl_number(handle, CURLINFO_SSL_VERIFYRESULT),
            explanation: explanation.isEmpty ? String(cString: workq_curl_explain(code)) : explanation)
    }

    private func set(_ option: CURLoption, _ value: some BinaryInteger) {
        workq_curl_set_number(handle, option, Int(value))
    }

    private func set(_ option: CURLoption, _ value: String?) {
        workq_curl_set_text(handle, option, value)
    }
}

/// A reply on its way from libcurl to its receiver.
private final class Transfer {
    private let handle: UnsafeMutableRawPointer
    private let receive: (HTTPReplyHead, UnsafeRawBufferPointer) throws -> Void
    /// What the receiver has thrown.
    private(set) var fault: (any Error)?

    init(
        _ handle: UnsafeMutableRawPointer, _ receive: @escaping (HTTPReplyHead, UnsafeRawBufferPointer) throws -> Void
    ) {
        self.handle = handle
        self.receive = receive
    }

    private(set) lazy var head = HTTPReplyHead(
        status: workq_curl_number(handle, CURLINFO_RESPONSE_CODE),
        contentType: workq_curl_text(handle, CURLINFO_CONTENT_TYPE).map { String(cString: $0) } ?? "",
        contentLength: Int(exactly: workq_curl_size(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T))
            .flatMap { $0 < 0 ? nil : $0 })

    /// Whether more is wanted.
    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        do {
            try receive(head, bytes)
            return true
        } catch {
            fault = error
            return false
        }
    }
}

/// Headers in libcurl's form.
private struct HeaderList: ~Copyable {
    let first: UnsafeMutablePointer<curl_slist>?

    init(_ headers: [String]) {
        var first: UnsafeMutablePointer<curl_slist>?
        for header in headers { first = workq_curl_append(first, header) ?? first }
        self.first = first
    }

    deinit {
        workq_curl_free(first)
    }
}
