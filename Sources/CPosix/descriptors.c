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

void workq_fill_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        // The lowest free number is the one that is missing: those below are open by now.
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY) < 0) return;
    }
}

void workq_set_nonblocking(int descriptor) { fcntl(descriptor, F_SETFL, O_NONBLOCK); }
