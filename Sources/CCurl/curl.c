// Opens libcurl and calls it through a table of functions.
#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>

// Debian's builds with OpenSSL and with GnuTLS, which share the interface; other systems have one of them.
#ifdef __APPLE__
static const char *const names[] = {"libcurl.4.dylib"};
#else
static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

// Tells packagers' tools of a library that the linker doesn't know of, as the UAPI group's specification "ELF dlopen
// metadata" has it: the owner FDO, its type, and a description in JSON.
#define DESCRIPTION                                                                                                    \
    "[{\"soname\":[\"libcurl.so.4\",\"libcurl-gnutls.so.4\"],\"feature\":\"management\","                              \
    "\"description\":\"Lists of queues, over the management API\",\"priority\":\"recommended\"}]"

static const struct {
    uint32_t owner_size, description_size, type;
    char owner[4];
    _Alignas(uint32_t) char description[sizeof DESCRIPTION];
} note __attribute__((used, retain, aligned(4), section(".note.dlopen"))) = {
    sizeof "FDO", sizeof DESCRIPTION, 0x407c0c0a, "FDO", DESCRIPTION};
#endif

// Each typed by libcurl's own header; __typeof__ leaves out the checks that its macros of the same name make.
static struct {
    __typeof__(&(curl_global_init)) global_init;
    __typeof__(&(curl_easy_init)) easy_init;
    __typeof__(&(curl_easy_cleanup)) easy_cleanup;
    __typeof__(&(curl_easy_setopt)) easy_setopt;
    __typeof__(&(curl_easy_perform)) easy_perform;
    __typeof__(&(curl_easy_getinfo)) easy_getinfo;
    __typeof__(&(curl_easy_strerror)) easy_strerror;
    __typeof__(&(curl_slist_append)) slist_append;
    __typeof__(&(curl_slist_free_all)) slist_free_all;
} curl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_open;

static void open_library(void) {
    void *library = NULL;
    for (size_t index = 0; library == NULL && index < sizeof names / sizeof names[0]; index++)
        library = dlopen(names[index], RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL) return;
    // POSIX has a pointer to a function from dlsym converted this way.
#define FIND(name) (*(void **)&curl.name = dlsym(library, "curl_" #name)) != NULL
    is_open = FIND(global_init) && FIND(easy_init) && FIND(easy_cleanup) && FIND(easy_setopt) && FIND(easy_perform) &&
              FIND(easy_getinfo) && FIND(easy_strerror) && FIND(slist_append) && FIND(slist_free_all) &&
              curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
#undef FIND
}

bool workq_curl_open(void) {
    pthread_once(&once, open_library);
    return is_open;
}

CURL *workq_curl_easy_init(void) { return curl.easy_init(); }

void workq_curl_easy_cleanup(CURL *session) { curl.easy_cleanup(session); }

CURLcode workq_curl_set_number(CURL *session, CURLoption option, long value) {
    return curl.easy_setopt(session, option, value);
}

CURLcode workq_curl_set_text(CURL *session, CURLoption option, const char *value) {
    return curl.easy_setopt(session, option, value);
}

CURLcode workq_curl_set_headers(CURL *session, struct curl_slist *headers) {
    return curl.easy_setopt(session, CURLOPT_HTTPHEADER, headers);
}

CURLcode workq_curl_set_explanation(CURL *session, char *buffer) {
    return curl.easy_setopt(session, CURLOPT_ERRORBUFFER, buffer);
}

struct receipt {
    workq_curl_receiver receive;
    void *context;
};

static size_t write_piece(char *bytes, size_t size, size_t count, void *context) {
    struct receipt *receipt = context;
    // Any other count than that of the bytes ends the request.
    return receipt->receive(bytes, size * count, receipt->context) ? size * count : 0;
}

// Performs without SIGPIPE: where libcurl may set no handlers (CURLOPT_NOSIGNAL) it leaves that to its callers, and
// before version 7.87 OpenSSL beneath it writes in a way that raises it. It comes to the thread that writes.
static CURLcode perform_quietly(CURL *session) {
    sigset_t pipe, previous, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &previous);
    CURLcode code = curl.easy_perform(session);
    int signal;
    if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1) sigwait(&pipe, &signal);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    return code;
}

CURLcode workq_curl_perform(CURL *session, workq_curl_receiver receive, void *context) {
    struct receipt receipt = {receive, context};
    curl.easy_setopt(session, CURLOPT_WRITEFUNCTION, write_piece);
    curl.easy_setopt(session, CURLOPT_WRITEDATA, &receipt);
    CURLcode code = perform_quietly(session);
    curl.easy_setopt(session, CURLOPT_WRITEDATA, NULL);
    return code;
}

long workq_curl_number(CURL *session, CURLINFO info) {
    long value = 0;
    return curl.easy_getinfo(session, info, &value) == CURLE_OK ? value : 0;
}

curl_off_t workq_curl_size(CURL *session, CURLINFO info) {
    curl_off_t value = 0;
    return curl.easy_getinfo(session, info, &value) == CURLE_OK ? value : 0;
}

const char *workq_curl_text(CURL *session, CURLINFO info) {
    const char *value = NULL;
    return curl.easy_getinfo(session, info, &value) == CURLE_OK ? value : NULL;
}

struct curl_slist *workq_curl_append(struct curl_slist *list, const char *header) {
    return curl.slist_append(list, header);
}

void workq_curl_free(struct curl_slist *list) { curl.slist_free_all(list); }

const char *workq_curl_explain(CURLcode code) { return curl.easy_strerror(code); }
