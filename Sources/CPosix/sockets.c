// What the system knows of a TCP connection's way to its peer.
#define _GNU_SOURCE
#include "CPosix.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#ifdef __linux__
// Not <netinet/tcp.h>, whose struct is older and lacks the count.
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>

long long workq_unacknowledged_bytes(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : -1;
}

long long workq_acknowledged_bytes(int socket) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return -1;
    if (size < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) return -1;
    return (long long)info.tcpi_bytes_acked;
}
#else
long long workq_unacknowledged_bytes(int socket) {
    int count = 0;
    socklen_t size = sizeof count;
    return getsockopt(socket, SOL_SOCKET, SO_NWRITE, &count, &size) == 0 ? count : -1;
}

long long workq_acknowledged_bytes(int socket) {
    (void)socket;
    return -1;
}
#endif
