// POSIX extended regular expressions over UTF-8, whatever the locale of the process.
#define _GNU_SOURCE
#include "CPosix.h"

#include <locale.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

struct workq_pattern {
    regex_t regex;
    // 0 where the system has no such locale; characters are bytes then.
    locale_t locale;
};

static locale_t enter(locale_t locale) { return locale ? uselocale(locale) : (locale_t)0; }

static void leave(locale_t previous) {
    if (previous) uselocale(previous);
}

struct workq_pattern *workq_pattern_compile(const char *text, char *problem, size_t size) {
    struct workq_pattern *pattern = malloc(sizeof *pattern);
    if (!pattern) {
        snprintf(problem, size, "memory is short");
        return NULL;
    }
    pattern->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!pattern->locale) pattern->locale = newlocale(LC_CTYPE_MASK, "en_US.UTF-8", (locale_t)0);
    locale_t previous = enter(pattern->locale);
    int fault = regcomp(&pattern->regex, text, REG_EXTENDED | REG_NOSUB);
    leave(previous);
    if (!fault) return pattern;
    regerror(fault, NULL, problem, size);
    if (pattern->locale) freelocale(pattern->locale);
    free(pattern);
    return NULL;
}

bool workq_pattern_matches(const struct workq_pattern *pattern, const char *text) {
    locale_t previous = enter(pattern->locale);
    bool matches = regexec(&pattern->regex, text, 0, NULL, 0) == 0;
    leave(previous);
    return matches;
}

void workq_pattern_free(struct workq_pattern *pattern) {
    regfree(&pattern->regex);
    if (pattern->locale) freelocale(pattern->locale);
    free(pattern);
}
