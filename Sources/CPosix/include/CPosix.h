// The few POSIX and Linux calls that Swift's C library module lacks or can't express.
#ifndef WORKQ_CPOSIX_H
#define WORKQ_CPOSIX_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __clang__
#define WORKQ_NONNULL _Nonnull
#define WORKQ_NULLABLE _Nullable
#else
#define WORKQ_NONNULL
#define WORKQ_NULLABLE
#endif

// MARK: - Descriptors

// read(2), write(2) and close(2) under names that no Swift method hides; the first two go on after a signal.

static inline ssize_t workq_read(int descriptor, void *WORKQ_NONNULL bytes, size_t count) {
    ssize_t result;
    do result = read(descriptor, bytes, count);
    while (result < 0 && errno == EINTR);
    return result;
}

static inline ssize_t workq_write(int descriptor, const void *WORKQ_NONNULL bytes, size_t count) {
    ssize_t result;
    do result = write(descriptor, bytes, count);
    while (result < 0 && errno == EINTR);
    return result;
}

static inline void workq_close(int descriptor) { close(descriptor); }

/// Opens a pipe whose ends are close-on-exec: `ends[0]` to read from, `ends[1]` to write to. -1 with errno on failure.
int workq_pipe(int ends[WORKQ_NONNULL 2]);

/// Opens /dev/null for each of the descriptors 0, 1 and 2 that is closed, the wrong way round so that using it is an
/// error. A socket or pipe that got such a number would become some program's standard output.
void workq_fill_standard_descriptors(void);

/// Makes reading and writing fail with EAGAIN instead of waiting.
void workq_set_nonblocking(int descriptor);

/// Where `byte` last occurs, -1 when it doesn't.
static inline ssize_t workq_last_index(const unsigned char *WORKQ_NONNULL bytes, size_t count, unsigned char byte) {
    ssize_t index = (ssize_t)count - 1;
    while (index >= 0 && bytes[index] != byte) index--;
    return index;
}

// MARK: - Threads

/// Starts `body` on a detached thread with a stack of `stack_size` bytes and all signals blocked. Returns false when
/// the system refuses the thread; `body` isn't called then.
bool workq_start_thread(size_t stack_size, void (*WORKQ_NONNULL body)(void *WORKQ_NULLABLE),
                        void *WORKQ_NULLABLE context);

/// The words that this program was started with, its own name first, where the kernel shows them to other users.
char *WORKQ_NULLABLE *WORKQ_NULLABLE workq_arguments(int *WORKQ_NONNULL count);

/// Lets other threads do everything from here on, signals included.
_Noreturn void workq_sleep_for_ever(void);

/// Lets the calling thread's waits end on time, rather than within the kernel's usual slack of 50 microseconds.
void workq_wait_exactly(void);

struct pollfd;

/// poll(2) with a time-out in nanoseconds, negative for none.
int workq_poll(struct pollfd *WORKQ_NULLABLE descriptors, size_t count, long long nanoseconds);

// MARK: - Signals

/// Opens the pipe that caught signals are written to, one byte a signal: its number. Both ends are non-blocking and
/// close-on-exec. Returns the reading end, -1 with errno set on failure. Call once a process.
int workq_signal_pipe_open(void);

/// Added to the number of a TSTP that was typed on the terminal, and not sent by a process.
enum { WORKQ_TYPED_SIGNAL = 0x80 };

/// Writes `signal` to the pipe whenever it arrives.
void workq_signal_catch(int signal);

/// The same, but leaves a signal alone that is ignored.
void workq_signal_catch_unless_ignored(int signal);

/// Gives a caught signal its default effect again.
void workq_signal_release(int signal);

/// Restores the default action of `signal` and raises it: the process ends, or stops, as its parent expects.
void workq_signal_raise_default(int signal);

/// Empties the calling thread's signal mask, and so that of all threads it starts. A parent may start this process with
/// signals blocked, as thread pools do, and then neither SIGTERM nor SIGCHLD would ever arrive.
void workq_signal_unblock_all(void);

/// Ignores `signal`, for SIGPIPE: writing to a child that has closed its stdin is then an error, not the end.
void workq_signal_ignore(int signal);

// MARK: - Sockets

/// Bytes written to a TCP socket that the peer hasn't acknowledged, negative where the system can't tell.
long long workq_unacknowledged_bytes(int socket);

/// All bytes that the peer of a TCP socket has acknowledged, negative where the system can't tell.
long long workq_acknowledged_bytes(int socket);

// MARK: - Regular expressions

/// A compiled POSIX extended regular expression. It may be used by one thread at a time.
struct workq_pattern;

/// Compiles an expression over UTF-8. NULL with the reason in `problem`, at most `size` bytes with the NUL at the end.
struct workq_pattern *WORKQ_NULLABLE workq_pattern_compile(const char *WORKQ_NONNULL text, char *WORKQ_NONNULL problem,
                                                           size_t size);

/// Whether it matches somewhere in `text`.
bool workq_pattern_matches(const struct workq_pattern *WORKQ_NONNULL pattern, const char *WORKQ_NONNULL text);

void workq_pattern_free(struct workq_pattern *WORKQ_NONNULL pattern);

// MARK: - Secrets

/// Keeps this process's memory, where passwords are, out of core files and away from other processes of the user.
/// Children are not affected.
void workq_protect_memory(void);

// MARK: - Children

/// What a child process is started with.
struct workq_spawn {
    /// The executable's path; no search is made.
    const char *WORKQ_NONNULL path;
    char *WORKQ_NULLABLE const *WORKQ_NONNULL arguments;
    char *WORKQ_NULLABLE const *WORKQ_NONNULL environment;
    /// Descriptors for the child's 0, 1 and 2. No other descriptor is inherited.
    int standard_input, standard_output, standard_error;
    /// Out of reach of the terminal, which would stop a background process that reads from it. Else the child gets a
    /// process group only.
    bool has_own_session;
};

/// Starts a child in a process group of its own, with default signal dispositions and an empty signal mask. On Linux
/// the child gets SIGTERM when the thread that started it ends.
///
/// Returns the process id, or -1 with the error number in `error`: that of execve when the executable is the reason.
/// The executable is never handed to a shell, also not when it has no `#!` line.
pid_t workq_spawn_child(const struct workq_spawn *WORKQ_NONNULL request, int *WORKQ_NONNULL error);

/// Allows this process as many descriptors as the system lets it have, and returns how many; children get what it had.
int workq_raise_descriptor_limit(void);

/// Lets the main thread's stack grow to `size` bytes; children get the limit that this process had. False where the
/// system doesn't allow it, or where such a stack doesn't grow as its limit does.
bool workq_raise_stack_limit(size_t size);

/// Whether a wait status is that of a process that has exited, and with which status.
static inline bool workq_has_exited(int wait_status) { return WIFEXITED(wait_status); }
static inline int workq_exit_status(int wait_status) { return WEXITSTATUS(wait_status); }
/// The signal that ended a process that hasn't exited.
static inline int workq_termination_signal(int wait_status) { return WTERMSIG(wait_status); }

/// fork(2), of which the copy may go on in Swift: only in a process whose other threads hold no locks.
pid_t workq_fork(void);

/// A child that has ended and wasn't waited for, 0 when there is none. It stays to be waited for.
pid_t workq_ended_child(void);

/// A child that a signal has stopped, told once, and the signal; 0 when there is none.
pid_t workq_stopped_child(int *WORKQ_NONNULL signal);

/// Waits for a child that has ended, and forgets how.
static inline void workq_reap(pid_t pid) { waitpid(pid, NULL, WNOHANG); }

/// Makes processes that are left behind by this process's children its own, rather than the system's. On Linux only.
void workq_adopt_orphans(void);

/// The process environment, NULL at its end.
char *WORKQ_NULLABLE *WORKQ_NONNULL workq_environment(void);

/// The commit that the program was built from; empty where the build didn't know.
const char *WORKQ_NONNULL workq_commit(void);

#endif
