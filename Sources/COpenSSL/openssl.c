// Verification that can say what is wrong, and keys that are never asked for on the terminal.
#include "COpenSSL.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// What a context remembers; freed with it.
struct expectation {
    char *server_name;
    long verify_error;
    struct workq_tls_session session;
};

static int expectation_index = -1;
static pthread_once_t index_once = PTHREAD_ONCE_INIT;

static void free_expectation(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long argument, void *pointer) {
    (void)parent, (void)all, (void)index, (void)argument, (void)pointer;
    struct expectation *expectation = data;
    if (expectation == NULL) return;
    free(expectation->server_name);
    X509_free(expectation->session.certificate);
    free(expectation);
}

static void make_index(void) { expectation_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_expectation); }

static struct expectation *expectation_of(const SSL_CTX *context) {
    return expectation_index < 0 ? NULL : SSL_CTX_get_ex_data(context, expectation_index);
}

SSL_CTX *workq_tls_new(void) { return SSL_CTX_new(TLS_client_method()); }

void workq_tls_free(SSL_CTX *context) { SSL_CTX_free(context); }

// Takes over the certificate.
static void keep_certificate(struct expectation *expectation, X509 *certificate) {
    X509_free(expectation->session.certificate);
    expectation->session.certificate = certificate;
}

static int keep_reason(int is_fine, X509_STORE_CTX *store) {
    if (is_fine) return is_fine;
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct expectation *expectation = ssl == NULL ? NULL : expectation_of(SSL_get_SSL_CTX(ssl));
    if (expectation != NULL && expectation->verify_error == X509_V_OK) {
        expectation->verify_error = X509_STORE_CTX_get_error(store);
        X509 *certificate = X509_STORE_CTX_get0_cert(store);
        if (certificate != NULL && X509_up_ref(certificate) == 1) keep_certificate(expectation, certificate);
    }
    return is_fine;
}

// librabbitmq names what it connects to, which is an address where workq has looked the name up. The handshake's start
// is before the server is told the name. What comes of the handshake is kept for whoever asks.
static void follow_handshake(const SSL *ssl, int where, int result) {
    (void)result;
    if ((where & (SSL_CB_HANDSHAKE_START | SSL_CB_HANDSHAKE_DONE)) == 0) return;
    struct expectation *expectation = expectation_of(SSL_get_SSL_CTX(ssl));
    if (expectation == NULL) return;
    if (where & SSL_CB_HANDSHAKE_DONE) {
        expectation->session.protocol = SSL_get_version(ssl);
        keep_certificate(expectation, SSL_get_peer_certificate(ssl));
        return;
    }
    SSL_set_tlsext_host_name((SSL *)ssl, expectation->server_name);
    // TLS 1.3 calls again for what follows the handshake.
    if (expectation->session.start != 0) return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    expectation->session.start = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool workq_tls_expect(SSL_CTX *context, const char *host, bool verifies) {
    pthread_once(&index_once, make_index);
    struct expectation *expectation = calloc(1, sizeof *expectation);
    if (expectation == NULL || SSL_CTX_set_ex_data(context, expectation_index, expectation) != 1) {
        free(expectation);
        return false;
    }
    X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(context);
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1) {
        expectation->server_name = strdup(host);
        if (expectation->server_name == NULL || X509_VERIFY_PARAM_set1_host(parameters, host, 0) != 1) return false;
        X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    }
    ERR_clear_error();
    SSL_CTX_set_info_callback(context, follow_handshake);
    SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, verifies ? keep_reason : NULL);
    return true;
}

long workq_tls_verify_error(SSL_CTX *context) {
    struct expectation *expectation = expectation_of(context);
    return expectation == NULL ? X509_V_OK : expectation->verify_error;
}

struct workq_tls_session workq_tls_last_session(SSL_CTX *context) {
    struct expectation *expectation = expectation_of(context);
    if (expectation != NULL) return expectation->session;
    return (struct workq_tls_session){0, NULL, NULL};
}

void workq_tls_forget_session(SSL_CTX *context) {
    struct expectation *expectation = expectation_of(context);
    if (expectation == NULL) return;
    keep_certificate(expectation, NULL);
    expectation->session = (struct workq_tls_session){0, NULL, NULL};
}

int64_t workq_tls_expiry(const X509 *certificate) {
    struct tm time;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return -1;
    return timegm(&time);
}

static int copy(const unsigned char *text, int length, char *buffer, int size) {
    if (length > size) length = size;
    memcpy(buffer, text, length);
    return length;
}

static int address_text(const ASN1_OCTET_STRING *address, char *buffer, int size) {
    int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
    if (family == AF_INET6 && ASN1_STRING_length(address) != 16) return 0;
    return inet_ntop(family, ASN1_STRING_get0_data(address), buffer, size) == NULL ? 0 : (int)strlen(buffer);
}

int workq_tls_name(const X509 *certificate, int index, char *buffer, int size) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = names == NULL ? 0 : sk_GENERAL_NAME_num(names);
    int length = -1, seen = 0;
    for (int i = 0; i < count && length < 0; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
        if (seen++ != index) continue;
        length = name->type == GEN_IPADD ? address_text(name->d.iPAddress, buffer, size)
                                         : copy(ASN1_STRING_get0_data(name->d.dNSName),
                                                ASN1_STRING_length(name->d.dNSName), buffer, size);
    }
    GENERAL_NAMES_free(names);
    if (length >= 0 || seen > 0 || index > 0) return length;
    int place = X509_NAME_get_index_by_NID(X509_get_subject_name(certificate), NID_commonName, -1);
    if (place < 0) return -1;
    const ASN1_STRING *text =
        X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(certificate), place));
    return copy(ASN1_STRING_get0_data(text), ASN1_STRING_length(text), buffer, size);
}

bool workq_tls_trust(SSL_CTX *context, const char *file) {
    if (file == NULL) return SSL_CTX_set_default_verify_paths(context) == 1;
    return SSL_CTX_load_verify_locations(context, file, NULL) == 1;
}

static int refuse_pass_phrase(char *buffer, int size, int is_writing, void *was_asked) {
    (void)buffer, (void)size, (void)is_writing;
    *(bool *)was_asked = true;
    return -1;
}

enum workq_tls_files workq_tls_identify(SSL_CTX *context, const char *certificate, const char *key) {
    bool was_asked = false;
    SSL_CTX_set_default_passwd_cb(context, refuse_pass_phrase);
    SSL_CTX_set_default_passwd_cb_userdata(context, &was_asked);
    enum workq_tls_files result = WORKQ_TLS_FILES_FIT;
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
        result = WORKQ_TLS_NO_CERTIFICATE;
    } else if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        int reason = ERR_GET_REASON(ERR_peek_last_error());
        bool is_another = reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH;
        result = was_asked ? WORKQ_TLS_KEY_ENCRYPTED : is_another ? WORKQ_TLS_KEY_OF_ANOTHER : WORKQ_TLS_NO_KEY;
    } else if (SSL_CTX_check_private_key(context) != 1) {
        result = WORKQ_TLS_KEY_OF_ANOTHER;
    }
    // The variable ends here.
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    SSL_CTX_set_default_passwd_cb(context, NULL);
    ERR_clear_error();
    return result;
}

int workq_tls_reason(void) { return ERR_GET_REASON(ERR_peek_error()); }

const char *workq_tls_reason_text(void) { return ERR_reason_error_string(ERR_peek_error()); }

void workq_tls_forget_errors(void) { ERR_clear_error(); }
