// Signals as bytes in a pipe: the handler does nothing but write, everything else happens in the loop that reads.
#define _GNU_SOURCE
#include "CPosix.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

static int signal_pipe[2] = {-1, -1};

// Whether a key of the terminal has sent it, and no process.
static bool is_typed(const siginfo_t *info) {
#ifdef SI_KERNEL
    return info->si_code == SI_KERNEL;
#else
    return info->si_pid == 0;
#endif
}

static void write_to_pipe(int signal, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    unsigned char number = (unsigned char)signal;
    if (signal == SIGTSTP && is_typed(info)) number |= WORKQ_TYPED_SIGNAL;
    // A full pipe drops the byte, and that is fine: as many are waiting to be read.
    ssize_t ignored = write(signal_pipe[1], &number, 1);
    (void)ignored;
    errno = saved;
}

int workq_signal_pipe_open(void) {
    if (workq_pipe(signal_pipe) != 0) return -1;
    for (int end = 0; end < 2; end++) workq_set_nonblocking(signal_pipe[end]);
    return signal_pipe[0];
}

static void set_handler(int signal, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

void workq_signal_catch(int signal) {
    struct sigaction action = {.sa_sigaction = write_to_pipe, .sa_flags = SA_RESTART | SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

void workq_signal_catch_unless_ignored(int signal) {
    struct sigaction current;
    if (sigaction(signal, NULL, &current) == 0 && current.sa_handler == SIG_IGN) return;
    workq_signal_catch(signal);
}

void workq_signal_release(int signal) {
    struct sigaction current;
    if (sigaction(signal, NULL, &current) == 0 && current.sa_sigaction == write_to_pipe) set_handler(signal, SIG_DFL);
}

void workq_signal_unblock_all(void) {
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

void workq_signal_ignore(int signal) { set_handler(signal, SIG_IGN); }

void workq_signal_raise_default(int signal) {
    set_handler(signal, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    kill(getpid(), signal);
}
