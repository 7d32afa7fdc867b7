// Keeps secrets in this process.
#include "CPosix.h"

#ifdef __linux__
#include <sys/prctl.h>
#else
#include <sys/resource.h>
#endif

void workq_protect_memory(void) {
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0);
#else
    // Inherited by children, which have to do without core files here.
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
#endif
}
