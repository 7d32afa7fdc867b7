// libcurl for those who ask the management API, and nobody else: it is opened at the first question. Linked plainly it
// would cost every command the loading of thirty libraries.
#ifndef WORKQ_CCURL_H
#define WORKQ_CCURL_H

// Names that libcurl has newer ones for are still those that all its versions know.
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __clang__
#define WORKQ_NONNULL _Nonnull
#define WORKQ_NULLABLE _Nullable
#else
#define WORKQ_NONNULL
#define WORKQ_NULLABLE
#endif

/// Opens libcurl, the first time that it is called. Returns false where this machine has none; call nothing else then.
bool workq_curl_open(void);

/// A session of its own, NULL when there is no memory. Belongs to one thread at a time.
CURL *WORKQ_NULLABLE workq_curl_easy_init(void);
void workq_curl_easy_cleanup(CURL *WORKQ_NONNULL session);

// curl_easy_setopt by the type of what is set. Texts are copied; lists, buffers and contexts must outlive the request.

CURLcode workq_curl_set_number(CURL *WORKQ_NONNULL session, CURLoption option, long value);
CURLcode workq_curl_set_text(CURL *WORKQ_NONNULL session, CURLoption option, const char *WORKQ_NULLABLE value);
CURLcode workq_curl_set_headers(CURL *WORKQ_NONNULL session, struct curl_slist *WORKQ_NULLABLE headers);
/// Where the beginning of the failed request's explanation goes: `CURL_ERROR_SIZE` bytes.
CURLcode workq_curl_set_explanation(CURL *WORKQ_NONNULL session, char *WORKQ_NULLABLE buffer);

/// Takes a piece of a reply's body; false ends the request.
typedef bool (*workq_curl_receiver)(const void *WORKQ_NONNULL bytes, size_t count, void *WORKQ_NULLABLE context);

/// Performs the request; `receive` is called on this thread for each piece of the reply's body. Raises no SIGPIPE.
CURLcode workq_curl_perform(CURL *WORKQ_NONNULL session, workq_curl_receiver WORKQ_NONNULL receive,
                            void *WORKQ_NULLABLE context);

// curl_easy_getinfo by the type of what is asked for: 0 and NULL where it isn't known.

long workq_curl_number(CURL *WORKQ_NONNULL session, CURLINFO info);
curl_off_t workq_curl_size(CURL *WORKQ_NONNULL session, CURLINFO info);
const char *WORKQ_NULLABLE workq_curl_text(CURL *WORKQ_NONNULL session, CURLINFO info);

/// Appends a header to a list, NULL when there is no memory; the list is then as it was.
struct curl_slist *WORKQ_NULLABLE workq_curl_append(struct curl_slist *WORKQ_NULLABLE list,
                                                    const char *WORKQ_NONNULL header);
void workq_curl_free(struct curl_slist *WORKQ_NULLABLE list);

/// libcurl's words for a code.
const char *WORKQ_NONNULL workq_curl_explain(CURLcode code);

#endif
