// The system's own C library and ours, under one name: the only place that knows which library it is.

@_exported import CPosix

#if canImport(Darwin)
    @_exported import Darwin
#elseif canImport(Musl)
    @_exported import Musl
#else
    @_exported import Glibc
#endif
