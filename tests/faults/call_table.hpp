// SPDX-License-Identifier: MIT
//
// call_table: what can plausibly go wrong with each system call, and whom it may hurt.
//
// Plausible is what the man page allows for a call that is made the way berth makes it. Left out:
//   - errors of wrong arguments (EBADF, EFAULT, EINVAL …): a defect, found by assertions and tests;
//   - EINTR where a call does not wait: signal(7) interrupts waiting only;
//   - answers that are not true: success that did not happen, ENOENT for a file that is there;
//   - what depends on the arguments: see cannot_fail in server/gate.cpp.

#pragma once

#include "os/call.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::test {

// What an outcome may cost. Everybody else is served to the end in any case.
enum class Harm : std::uint8_t {
    nobody,      // it is borne
    late,        // nobody; when stopping, who came too late: unaccepted, or not yet all there
    connection,  // the connection it happened to
    start,       // the start, with the right error; later on what is being opened
    path,        // as start; and when stopping, the Unix path stays, and the report says so
    engine,      // the engine: it ends, and says so
};

inline constexpr int kShort = 0;  // no error: one byte is transferred instead of all

struct Outcome {
    int errno_value = kShort;
    Harm harm = Harm::nobody;
};

inline constexpr std::size_t kOutcomesMax = 10;

// What the server runs with while the call fails.
enum class Over : std::uint8_t { epoll, uring };

struct CallRow {
    os::Call call;
    std::string_view name;
    Over over;
    std::array<Outcome, kOutcomesMax> room{};
    std::size_t count = 0;

    constexpr CallRow(os::Call which, std::string_view named,
                      std::initializer_list<Outcome> outcomes, Over driver = Over::epoll)
        : call(which), name(named), over(driver), count(outcomes.size()) {
        std::ranges::copy(outcomes, room.begin());
    }
    const Outcome* begin() const { return room.data(); }
    const Outcome* end() const { return room.data() + count; }
};

namespace call_table {

using os::Call;
using enum Harm;

inline constexpr std::array kRows{
    CallRow{Call::receive,
            "receive",
            {{EAGAIN, late},
             {kShort, late},
             {ECONNRESET, connection},
             {ETIMEDOUT, connection},
             {EHOSTUNREACH, connection},
             {ENOMEM, connection}}},
    CallRow{Call::send,
            "send",
            {{EAGAIN, nobody},
             {kShort, nobody},
             {ECONNRESET, connection},
             {EPIPE, connection},
             {ETIMEDOUT, connection},
             {EHOSTUNREACH, connection},
             {ENOBUFS, connection},
             {ENOMEM, connection}}},
    CallRow{Call::send_slices,
            "send_slices",
            {{EAGAIN, nobody},
             {kShort, nobody},
             {ECONNRESET, connection},
             {EPIPE, connection},
             {ETIMEDOUT, connection},
             {EHOSTUNREACH, connection},
             {ENOBUFS, connection},
             {ENOMEM, connection}}},
    // The connection that an accept did not get stays in the queue. A stop empties the queue as far
    // as it can; "it is empty" and "no descriptor" end that.
    CallRow{Call::accept,
            "accept",
            {{EAGAIN, late},
             {ECONNABORTED, nobody},
             {EPROTO, nobody},
             {EPERM, nobody},
             {ENETDOWN, nobody},
             {EHOSTUNREACH, nobody},
             {EMFILE, late},
             {ENFILE, late},
             {ENOBUFS, late},
             {ENOMEM, late}}},
    // The scripts have no listener of datagrams, where a loss is nobody's harm.
    CallRow{Call::receive_datagrams, "receive_datagrams", {}},
    CallRow{Call::send_datagrams, "send_datagrams", {}},
    // EINVAL stands for "the descriptor is no epoll any more": somebody else has closed it.
    CallRow{Call::epoll_wait, "epoll_wait", {{EINTR, nobody}, {EINVAL, engine}}},
    // An eventfd's write fails only after 2^64 others.
    CallRow{Call::raise, "raise", {}},

    CallRow{Call::socket,
            "socket",
            {{EMFILE, start},
             {ENFILE, start},
             {ENOBUFS, start},
             {ENOMEM, start},
             {EACCES, start},
             {EAFNOSUPPORT, start}}},
    CallRow{Call::bind,
            "bind",
            {{EADDRINUSE, start}, {EADDRNOTAVAIL, start}, {EACCES, start}, {ENOMEM, start}}},
    CallRow{Call::listen, "listen", {{EADDRINUSE, start}, {ENOMEM, start}}},
    CallRow{Call::connect,
            "connect",  // not EPERM: when asking who owns a Unix path, that is an answer
            {{ECONNREFUSED, start},
             {ENETUNREACH, start},
             {ETIMEDOUT, start},
             {EADDRNOTAVAIL, start},
             {EAGAIN, start},
             {EACCES, start}}},
    CallRow{
        Call::set_option, "set_option", {{ENOPROTOOPT, start}, {EACCES, start}, {ENOMEM, start}}},
    CallRow{Call::option, "option", {{ENOBUFS, connection}}},
    CallRow{Call::local_address, "local_address", {{ENOBUFS, start}}},
    CallRow{Call::peer_address, "peer_address", {{ENOBUFS, nobody}, {ENOTCONN, nobody}}},
    CallRow{Call::shutdown, "shutdown", {{ENOTCONN, nobody}}},
    CallRow{Call::ioctl, "ioctl", {{EACCES, start}}},

    CallRow{Call::pair, "pair", {{EMFILE, nobody}, {ENFILE, nobody}, {ENOMEM, nobody}}},
    // Between two generations: the handing over fails, and the old one serves on.
    CallRow{Call::receive_message,
            "receive_message",
            {{EAGAIN, nobody}, {ECONNRESET, nobody}, {ENOMEM, nobody}}},

    // Linux has released the number, whatever it answers, and nobody looks at the answer.
    CallRow{Call::close, "close", {}},
    CallRow{Call::duplicate, "duplicate", {{EMFILE, nobody}}},
    CallRow{
        Call::epoll_create, "epoll_create", {{EMFILE, start}, {ENFILE, start}, {ENOMEM, start}}},
    CallRow{Call::epoll_control, "epoll_control", {{ENOMEM, connection}, {ENOSPC, connection}}},
    CallRow{Call::eventfd, "eventfd", {{EMFILE, start}, {ENFILE, start}, {ENOMEM, start}}},
    CallRow{Call::wait, "wait", {{EINTR, nobody}, {ENOMEM, nobody}}},
    CallRow{Call::open,
            "open",
            {{EINTR, nobody},
             {EMFILE, path},
             {ENFILE, path},
             {ENOMEM, path},
             {EACCES, path},
             {ENOENT, path}}},
    CallRow{Call::read, "read", {{EINTR, nobody}, {kShort, nobody}, {EIO, nobody}}},
    CallRow{Call::list_directory, "list_directory", {{ENOENT, nobody}, {ENOMEM, nobody}}},
    CallRow{Call::file_facts, "file_facts", {{EACCES, path}, {ENOMEM, path}, {EIO, path}}},
    // Asked about other processes, which may vanish at any time, or be none of ours.
    CallRow{Call::read_link, "read_link", {{ENOENT, nobody}, {EACCES, nobody}, {ENOMEM, nobody}}},
    CallRow{Call::unlink,
            "unlink",
            {{EACCES, path}, {EPERM, path}, {EROFS, path}, {EBUSY, path}, {EIO, path}}},
    CallRow{Call::rename,
            "rename",
            {{EACCES, path}, {EPERM, path}, {EROFS, path}, {EBUSY, path}, {EIO, path}}},
    CallRow{Call::permit, "permit", {{EPERM, path}, {EROFS, path}, {EIO, path}}},
    CallRow{Call::lock, "lock", {{EWOULDBLOCK, nobody}, {EINTR, nobody}, {ENOLCK, path}}},

    // These fail for wrong arguments only, or never.
    CallRow{Call::process_id, "process_id", {}},
    CallRow{Call::thread_id, "thread_id", {}},
    CallRow{Call::user_id, "user_id", {}},
    CallRow{Call::limit, "limit", {}},
    CallRow{Call::exit, "exit", {}},
    CallRow{Call::reap, "reap", {}},
    CallRow{Call::signal_mask, "signal_mask", {}},

    CallRow{Call::affinity, "affinity", {{EINVAL, nobody}, {EPERM, nobody}}},
    CallRow{Call::set_affinity, "set_affinity", {{EINVAL, nobody}, {EPERM, nobody}}},
    CallRow{Call::control_thread, "control_thread", {{EPERM, nobody}}},
    CallRow{Call::random, "random", {{EAGAIN, nobody}, {EINTR, nobody}, {ENOSYS, nobody}}},

    // A next generation that cannot be made: the restart says why, and the engine serves on.
    CallRow{Call::fork, "fork", {{EAGAIN, nobody}, {ENOMEM, nobody}}},
    CallRow{Call::execute, "execute", {{EACCES, nobody}, {ENOMEM, nobody}, {E2BIG, nobody}}},
    CallRow{Call::pipe, "pipe", {{EMFILE, nobody}, {ENFILE, nobody}}},

    // EINVAL: the kernel is older than what was asked for, and is asked for less; where a ring is
    // entered it stands for "the descriptor is no ring any more".
    CallRow{Call::ring_setup,
            "ring_setup",
            {{EINVAL, nobody}, {EMFILE, start}, {ENFILE, start}, {ENOMEM, start}},
            Over::uring},
    CallRow{Call::ring_register, "ring_register", {{EINVAL, nobody}, {ENOMEM, start}}, Over::uring},
    CallRow{Call::ring_enter,
            "ring_enter",
            {{EAGAIN, nobody}, {EINTR, nobody}, {EBUSY, nobody}, {EINVAL, engine}},
            Over::uring},
    CallRow{Call::map, "map", {{ENOMEM, start}}, Over::uring},
    CallRow{Call::unmap, "unmap", {}, Over::uring},
};

}  // namespace call_table

inline constexpr auto& kCalls = call_table::kRows;

// kCalls.size() if the call is not in the table, which is a defect of the table.
constexpr std::size_t index_of(os::Call call) {
    return static_cast<std::size_t>(std::ranges::find(kCalls, call, &CallRow::call) -
                                    kCalls.begin());
}

// The nth call of a kind has this outcome. nth 0: nothing goes wrong.
struct Fault {
    os::Call call{};
    std::uint64_t nth = 0;
    Outcome outcome;
};

}  // namespace berth::test
