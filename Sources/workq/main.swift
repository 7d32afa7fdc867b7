// The executable: everything is in Commands.

import Commands

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

exit(Tool.main())
