// Threads with a stack of a size that the caller chooses, and how they wait.
#define _GNU_SOURCE
#include "CPosix.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

struct errand {
    void (*body)(void *);
    void *context;
};

static void *run_errand(void *argument) {
    struct errand errand = *(struct errand *)argument;
    free(argument);
    errand.body(errand.context);
    return NULL;
}

bool workq_start_thread(size_t stack_size, void (*body)(void *), void *context) {
    struct errand *errand = malloc(sizeof *errand);
    if (errand == NULL) return false;
    *errand = (struct errand){body, context};
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, previous;
    // A thread starts with its creator's mask, so that no signal can come before it is set.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    bool has_attributes = pthread_attr_init(&attributes) == 0;
    bool started = has_attributes && pthread_attr_setstacksize(&attributes, stack_size) == 0 &&
                   pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
                   pthread_create(&thread, &attributes, run_errand, errand) == 0;
    if (has_attributes) pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    if (!started) free(errand);
    return started;
}

void workq_sleep_for_ever(void) {
    // A signal that woke this thread would only cost time.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    while (true) pause();
}

void workq_wait_exactly(void) {
#ifdef __linux__
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
#endif
}

int workq_poll(struct pollfd *descriptors, size_t count, long long nanoseconds) {
#ifdef __linux__
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return ppoll(descriptors, (nfds_t)count, nanoseconds < 0 ? NULL : &timeout, NULL);
#else
    long long milliseconds = nanoseconds < 0 ? -1 : (nanoseconds + 999999) / 1000000;
    return poll(descriptors, (nfds_t)count, milliseconds > 0x7FFFFFFF ? 0x7FFFFFFF : (int)milliseconds);
#endif
}
