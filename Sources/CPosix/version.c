// The commit that the program was built from, which only the build knows.
#include "CPosix.h"

#ifndef WORKQ_COMMIT
#define WORKQ_COMMIT ""
#endif

const char *workq_commit(void) { return WORKQ_COMMIT; }
