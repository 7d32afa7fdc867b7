// Starts children. posix_spawn can't ask for a parent-death signal and lacks closing from a descriptor on some systems,
// so this does what it does: vfork, a few calls that are safe there, execve.
#define _GNU_SOURCE
#include "CPosix.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

extern char **environ;

pid_t workq_fork(void) { return fork(); }

pid_t workq_ended_child(void) {
    siginfo_t info = {.si_pid = 0};
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid : 0;
}

pid_t workq_stopped_child(int *signal) {
    siginfo_t info = {.si_pid = 0};
    if (waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG) != 0) return 0;
    *signal = info.si_status;
    return info.si_pid;
}

void workq_adopt_orphans(void) {
#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}

char **workq_environment(void) { return environ; }

#ifdef __APPLE__
#define LAST_SIGNAL (NSIG - 1)
#else
#define LAST_SIGNAL 64
#endif

// A limit that this process may raise for itself, and what its children then get back.
struct own_limit {
    int resource;
    bool is_raised;
    struct rlimit usual;
};

static struct own_limit descriptor_limit = {.resource = RLIMIT_NOFILE};
static struct own_limit stack_limit = {.resource = RLIMIT_STACK};

// Raises the limit to `wanted`, or as far as the system allows; returns what it is then, 0 where nobody can tell.
static rlim_t raise_limit(struct own_limit *limit, rlim_t wanted) {
    struct rlimit current;
    if (getrlimit(limit->resource, &current) != 0) return 0;
    struct rlimit raised = current;
    raised.rlim_cur = wanted < current.rlim_max ? wanted : current.rlim_max;
    if (raised.rlim_cur <= current.rlim_cur || setrlimit(limit->resource, &raised) != 0) return current.rlim_cur;
    if (!limit->is_raised) limit->usual = current;
    limit->is_raised = true;
    return raised.rlim_cur;
}

static void give_back(const struct own_limit *limit) {
    if (limit->is_raised) setrlimit(limit->resource, &limit->usual);
}

int workq_raise_descriptor_limit(void) {
    rlim_t limit = raise_limit(&descriptor_limit, RLIM_INFINITY);
    return limit > 1000000 ? 1000000 : (int)limit;
}

bool workq_raise_stack_limit(size_t size) {
#ifdef __linux__
    return raise_limit(&stack_limit, size) >= size;
#else
    (void)size;
    return false;
#endif
}

// Marks all descriptors above 2 close-on-exec.
static void close_others_on_exec(void) {
#if defined(__linux__) && defined(SYS_close_range)
    const unsigned int close_on_exec = 4;  // CLOSE_RANGE_CLOEXEC, which older headers lack
    if (syscall(SYS_close_range, 3u, ~0u, close_on_exec) == 0) return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int descriptor = 3; descriptor < limit; descriptor++) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

// Moves `from` above 2, so that installing another standard descriptor can't overwrite it.
static int move_up(int from) { return from > 2 ? from : fcntl(from, F_DUPFD_CLOEXEC, 3); }

// In the child, which shares the parent's memory until execve: touches nothing but `error`.
static void become(const struct workq_spawn *request, const sigset_t *changed, pid_t parent, volatile int *error) {
    if (request->has_own_session) {
        setsid();
    } else {
        setpgid(0, 0);
    }
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    // The parent may have died before the call above.
    if (getppid() != parent) _exit(127);
#else
    (void)parent;
#endif
    // execve would reset caught signals by itself, but a handler must not run here either once the mask is empty.
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal <= LAST_SIGNAL; signal++) {
        if (sigismember(changed, signal) == 1) sigaction(signal, &standard, NULL);
    }
    int sources[3] = {request->standard_input, request->standard_output, request->standard_error};
    for (int target = 0; target < 3; target++) {
        if (sources[target] == target) continue;
        sources[target] = move_up(sources[target]);
    }
    for (int target = 0; target < 3; target++) {
        int result = sources[target] == target ? fcntl(target, F_SETFD, 0) : dup2(sources[target], target);
        if (result < 0) {
            *error = errno;
            _exit(127);
        }
    }
    close_others_on_exec();
    give_back(&descriptor_limit);
    give_back(&stack_limit);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->path, request->arguments, request->environment);
    *error = errno;
    _exit(127);
}

// The signals that this process ignores or catches, asked for once: they don't change while children are started.
static const sigset_t *changed_signals(void) {
    static sigset_t changed;
    static bool is_known = false;
    if (!is_known) {
        sigemptyset(&changed);
        for (int signal = 1; signal <= LAST_SIGNAL; signal++) {
            struct sigaction current;
            if (sigaction(signal, NULL, &current) == 0 && current.sa_handler != SIG_DFL) sigaddset(&changed, signal);
        }
        is_known = true;
    }
    return &changed;
}

pid_t workq_spawn_child(const struct workq_spawn *request, int *error) {
    volatile int failure = 0;
    const sigset_t *changed = changed_signals();
    pid_t parent = getpid();
    // No handler may run in the child while it shares the parent's memory.
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    pid_t child = vfork();
    if (child == 0) become(request, changed, parent, &failure);
    int fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    if (child < 0) {
        *error = fork_error;
        return -1;
    }
    if (failure != 0) {
        // Executing failed; the child has ended and is waited for here, nobody else knows of it.
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
        *error = failure;
        return -1;
    }
    return child;
}
