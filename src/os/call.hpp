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
    send_slices = SYS_sendmsg,  // descriptors travel by it, too
    accept = SYS_accept4,
    receive_datagrams = SYS_recvmmsg,
    send_datagrams = SYS_sendmmsg,
    epoll_wait = SYS_epoll_pwait,
    ring_enter = SYS_io_uring_enter,
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
    pair = SYS_socketpair,
    receive_message = SYS_recvmsg,

    // Descriptors and files.
    close = SYS_close,
    duplicate = SYS_fcntl,
    epoll_create = SYS_epoll_create1,
    epoll_control = SYS_epoll_ctl,
    eventfd = SYS_eventfd2,
    ring_setup = SYS_io_uring_setup,
    ring_register = SYS_io_uring_register,
    map = SYS_mmap,
    unmap = SYS_munmap,
    wait = SYS_ppoll,
    open = SYS_openat,
    read = SYS_read,
    read_at = SYS_pread64,
    send_file = SYS_sendfile,
    splice = SYS_splice,
    list_directory = SYS_getdents64,
    file_facts = SYS_newfstatat,
    read_link = SYS_readlinkat,
    unlink = SYS_unlinkat,
    rename = SYS_renameat2,
    permit = SYS_fchmodat,
    lock = SYS_flock,

    // The process and its machine.
    process_id = SYS_getpid,
    thread_id = SYS_gettid,
    user_id = SYS_geteuid,
    limit = SYS_prlimit64,
    affinity = SYS_sched_getaffinity,
    set_affinity = SYS_sched_setaffinity,
    control_thread = SYS_prctl,
    random = SYS_getrandom,

    // Another process.
    fork = SYS_clone,
    execute = SYS_execve,
    exit = SYS_exit_group,
    reap = SYS_wait4,
    pipe = SYS_pipe2,
    signal_mask = SYS_rt_sigprocmask,
    take_signal = SYS_rt_sigtimedwait,
};

}  // namespace berth::os
