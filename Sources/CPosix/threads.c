// A thread with a stack of a size that the caller chooses.
#include "CPosix.h"

#include <pthread.h>
#include <signal.h>

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
