// SPDX-License-Identifier: MIT
//
// Call: every system call that berth makes, by its number in the kernel.
//
// Each goes out through raw_call, which passes the gate: tests/faults makes every one of them fail
// there, and proves that there is no other way out. sigaction(2) alone is made by libc, which has
// to lay the way back from a handler; it fails for wrong arguments only.
//
// See:       syscalls(2).

#pragma once

#include <sys/syscall.h>

namespace berth::os {

enum class Call : long {
    // Per message.
    receive = SYS_recvfrom,
    send = SYS_sendto,
    send_slices = SYS_sendmsg,
    accept = SYS_accept4,
    epoll_wait = SYS_epoll_pwait,
    raise = SYS_write,  // an eventfd

    // Sockets.
    socket = SYS_socket,
    bind = SYS_bind,
    listen = SYS_listen,
    connect = SYS_connect,
    set_option = SYS_setsockopt,
    option = SYS_getsockopt,
    local_address = SYS_getsockname,
    peer_address = SYS_getpeername,
    shutdown = SYS_shutdown,
    ioctl = SYS_ioctl,

    // Descriptors and files.
    close = SYS_close,
    epoll_create = SYS_epoll_create1,
    epoll_control = SYS_epoll_ctl,
    eventfd = SYS_eventfd2,
    open = SYS_openat,
    read = SYS_read,
    list_directory = SYS_getdents64,
    file_facts = SYS_newfstatat,
    unlink = SYS_unlinkat,
    lock = SYS_flock,

    // The process and its machine.
    limit = SYS_prlimit64,
    affinity = SYS_sched_getaffinity,
    random = SYS_getrandom,
};

}  // namespace berth::os
