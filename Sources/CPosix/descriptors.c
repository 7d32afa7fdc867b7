// Pipes with the flags that they need, in as few calls as the system allows.
#define _GNU_SOURCE
#include "CPosix.h"

#include <fcntl.h>

int workq_pipe(int ends[2]) {
#ifdef __linux__
    return pipe2(ends, O_CLOEXEC);
#else
    if (pipe(ends) != 0) return -1;
    for (int end = 0; end < 2; end++) fcntl(ends[end], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

void workq_set_nonblocking(int descriptor) { fcntl(descriptor, F_SETFL, O_NONBLOCK); }
