// A thread with a stack of a size that the caller chooses.
#include "CPosix.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct call {
    int (*body)(void *);
    void *context;
    int result;
};

static void *run(void *argument) {
    struct call *call = argument;
    call->result = call->body(call->context);
    return NULL;
}

bool workq_run_on_thread(size_t stack_size, int (*body)(void *), void *context, int *result) {
    struct call call = {body, context, 0};
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0) return false;
    bool started = pthread_attr_setstacksize(&attributes, stack_size) == 0 &&
                   pthread_create(&thread, &attributes, run, &call) == 0;
    pthread_attr_destroy(&attributes);
    if (!started) return false;
    // A signal that woke this thread would only cost time.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_join(thread, NULL);
    *result = call.result;
    return true;
}

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
