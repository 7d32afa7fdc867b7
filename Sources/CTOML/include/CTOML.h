// toml++, as far as a configuration file of sections needs it, for Swift.
#ifndef WORKQ_CTOML_H
#define WORKQ_CTOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#define WORKQ_TOML_NONNULL _Nonnull
#define WORKQ_TOML_NULLABLE _Nullable
#else
#define WORKQ_TOML_NONNULL
#define WORKQ_TOML_NULLABLE
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum workq_toml_kind {
    // A section begins; no key and no value.
    WORKQ_TOML_SECTION,
    WORKQ_TOML_TEXT,
    WORKQ_TOML_NUMBER,
    WORKQ_TOML_FLAG,
    // The key's value is a list; its items follow, each with the same key.
    WORKQ_TOML_LIST,
    WORKQ_TOML_TEXT_ITEM,
    // An item of a list that is no text.
    WORKQ_TOML_OTHER_ITEM,
    // A value of some other kind, a table in a section among them.
    WORKQ_TOML_OTHER,
};

// What is found in a document. Names and texts are UTF-8, valid during the call, and may hold NUL bytes.
struct workq_toml_value {
    enum workq_toml_kind kind;
    const char *WORKQ_TOML_NONNULL key;
    size_t key_length;
    const char *WORKQ_TOML_NONNULL text;
    size_t text_length;
    // Of a number; of a flag 0 or 1.
    int64_t number;
    // Where the value stands, from 1; 0 for a section and for items.
    long line;
};

// Reads a document and reports the values outside of sections, then its sections, that is the tables at its top, and
// what they hold. Returns 0, or the line, from 1, at which the document isn't TOML; nothing is reported then.
long workq_toml_read(
    const char *WORKQ_TOML_NONNULL document, size_t length,
    void (*WORKQ_TOML_NONNULL report)(const struct workq_toml_value *WORKQ_TOML_NONNULL value,
                                      void *WORKQ_TOML_NULLABLE context),
    void *WORKQ_TOML_NULLABLE context);

#ifdef __cplusplus
}
#endif
#endif
