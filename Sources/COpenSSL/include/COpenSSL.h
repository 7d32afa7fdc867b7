// The little of OpenSSL that trusting a peer needs, on the context that librabbitmq's TLS socket hands out.
#ifndef WORKQ_COPENSSL_H
#define WORKQ_COPENSSL_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __clang__
#define WORKQ_NONNULL _Nonnull
#define WORKQ_NULLABLE _Nullable
#else
#define WORKQ_NONNULL
#define WORKQ_NULLABLE
#endif

/// What is wrong with the files of a client's certificate.
enum workq_tls_files {
    WORKQ_TLS_FILES_FIT,
    WORKQ_TLS_NO_CERTIFICATE,
    WORKQ_TLS_NO_KEY,
    WORKQ_TLS_KEY_ENCRYPTED,
    WORKQ_TLS_KEY_OF_ANOTHER,
};

/// A context of its own, for checking files; NULL when memory is short. To be freed by `workq_tls_free`.
SSL_CTX *WORKQ_NULLABLE workq_tls_new(void);
void workq_tls_free(SSL_CTX *WORKQ_NULLABLE context);

/// Makes the context verify that its peer is `host`, a name or an IP address, and keep the first reason why it isn't.
/// The handshake names `host` to the server unless it is an address, whatever the caller connects to. With `verifies`
/// false only that. Returns false when memory is short.
bool workq_tls_expect(SSL_CTX *WORKQ_NONNULL context, const char *WORKQ_NONNULL host, bool verifies);

/// Why verification failed: an X509_V_ERR number, X509_V_OK where it didn't.
long workq_tls_verify_error(SSL_CTX *WORKQ_NONNULL context);

/// What is known of the context's last handshake.
struct workq_tls_session {
    /// When it began, in nanoseconds of the monotonic clock: TCP was connected then. 0 when it didn't begin.
    int64_t start;
    /// As `TLSv1.3`, a string that lives for ever; NULL when the handshake wasn't finished.
    const char *WORKQ_NULLABLE protocol;
    /// The peer's certificate, also one that isn't trusted; NULL for none. The context keeps it.
    X509 *WORKQ_NULLABLE certificate;
};

/// The context's last handshake.
struct workq_tls_session workq_tls_last_session(SSL_CTX *WORKQ_NONNULL context);

/// Forgets it, before another one.
void workq_tls_forget_session(SSL_CTX *WORKQ_NONNULL context);

/// Until when a certificate is valid, in seconds since 1970; -1 where it can't be told.
int64_t workq_tls_expiry(const X509 *WORKQ_NONNULL certificate);

/// The name or IP address number `index` that a certificate is for, from 0; its common name where it lists none.
/// Returns the length, at most `size`, or -1 when there are no more.
int workq_tls_name(const X509 *WORKQ_NONNULL certificate, int index, char *WORKQ_NONNULL buffer, int size);

/// Trusts the authorities in `file`, or with NULL the system's, which SSL_CERT_FILE and SSL_CERT_DIR may name. Returns
/// false when the file holds none.
bool workq_tls_trust(SSL_CTX *WORKQ_NONNULL context, const char *WORKQ_NULLABLE file);

/// Shows the certificate in one file with the key in another. Never asks for a pass phrase: OpenSSL would read it from
/// standard input.
enum workq_tls_files workq_tls_identify(SSL_CTX *WORKQ_NONNULL context, const char *WORKQ_NONNULL certificate,
                                        const char *WORKQ_NONNULL key);

/// The reason of the earliest error that OpenSSL keeps for this thread, an SSL_R or ERR_R number; 0 for none.
int workq_tls_reason(void);

/// OpenSSL's words for it; NULL where it has none.
const char *WORKQ_NULLABLE workq_tls_reason_text(void);

/// Forgets this thread's errors.
void workq_tls_forget_errors(void);

#endif
