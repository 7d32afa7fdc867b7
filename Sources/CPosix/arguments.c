// The words that this program was started with.
#include "CPosix.h"

static int argument_count;
static char **arguments;

// The C library hands them to constructors, too: main is the Swift compiler's.
__attribute__((constructor)) static void note_arguments(int count, char **values) {
    argument_count = count;
    arguments = values;
}

char **workq_arguments(int *count) {
    *count = argument_count;
    return arguments;
}

// What Swift's runtime has for this reads /proc/self/maps and looks for the words in the stack, before anybody asks. A
// static link takes it only where one of these is missing; where it is taken, it wins.
__attribute__((weak)) char **_swift_stdlib_getUnsafeArgvArgc(int *count) { return workq_arguments(count); }
__attribute__((weak)) void _swift_stdlib_overrideUnsafeArgvArgc(char **values, int count) {
    argument_count = count;
    arguments = values;
}
