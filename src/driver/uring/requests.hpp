// SPDX-License-Identifier: MIT
//
// requests: what is asked of the ring, and how its answers are told apart.
//
// An answer carries 64 bits of ours: the address of the Source, and in its low bits
// what was asked. Two kinds have no source; their numbers are reserved slots, not addresses.
//
// See:       io_uring_enter(2), the operations.

#pragma once

#include "driver/driver.hpp"
#include "driver/uring/compat.hpp"
#include "os/socket_address.hpp"
#include "os/uring.hpp"

#include <bit>
#include <cstdint>
#include <new>
#include <type_traits>

namespace berth::driver::uring {

enum class Asked : std::uint8_t {
    receive,   // into provided buffers, multishot mostly; 0: the test of the hot path
    poll,      // a client at a listener; room to send, also as a sign of being connected; an error
    wake,      // reserved: the wake-up descriptor
    cancel,    // reserved: nobody waits for the answer
    accept,    // one client, who may be yet to come
    send,      // soon; answers only if refused
    send_odd,  // of every other poll: there are two batches
};
inline constexpr std::uint64_t kAskedMask = 7;
static_assert(alignof(Source) > kAskedMask, "its address leaves room for what was asked");

inline std::uint64_t name_of(const Source& source, Asked what) {
    return std::bit_cast<std::uintptr_t>(&source) | static_cast<std::uint64_t>(what);
}
constexpr std::uint64_t name_of(Asked reserved) { return static_cast<std::uint64_t>(reserved); }

constexpr Asked asked(std::uint64_t name) { return static_cast<Asked>(name & kAskedMask); }
inline Source& source_of(std::uint64_t name) {
    return *std::bit_cast<Source*>(static_cast<std::uintptr_t>(name & ~kAskedMask));
}

constexpr bool is_send(Asked what) { return what >= Asked::send; }

// ── Writing requests: into an entry that is all zero ─────────────────────────────────────────

// Once: what follows the first piece stays in the kernel.
inline void ask_receive_once(io_uring_sqe& entry, const Stream& stream, std::uint16_t buffers) {
    entry.opcode = IORING_OP_RECV;
    entry.fd = number(stream.descriptor);
    entry.flags = IOSQE_BUFFER_SELECT;
    entry.buf_group = buffers;
    entry.user_data = name_of(stream, Asked::receive);
}

inline void ask_receive(io_uring_sqe& entry, const Stream& stream, std::uint16_t buffers) {
    ask_receive_once(entry, stream, buffers);
    entry.ioprio = IORING_RECV_MULTISHOT;
}

// Never waits (MSG_DONTWAIT), tells how much was taken if that is not all (MSG_WAITALL), and says
// nothing otherwise. Into an entry as it was used the last time: what no request uses stays zero,
// and so does the group of buffers, there being one.
inline void ask_send(io_uring_sqe& entry, const Stream& stream, Bytes bytes, Asked send) {
    entry.opcode = IORING_OP_SEND;
    entry.flags = IOSQE_CQE_SKIP_SUCCESS;
    entry.ioprio = 0;
    entry.fd = number(stream.descriptor);
    entry.addr2 = 0;
    entry.addr = std::bit_cast<std::uintptr_t>(bytes.data());
    entry.len = static_cast<std::uint32_t>(bytes.size());
    entry.msg_flags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;
    entry.user_data = name_of(stream, send);
}

// Of the accept that was asked for last.
inline os::SocketAddress& next_peer(Listener& listener) {
    static_assert(sizeof(os::SocketAddress) <= sizeof(Listener::next_peer) &&
                  alignof(os::SocketAddress) <= alignof(Listener));
    return *std::launder(reinterpret_cast<os::SocketAddress*>(listener.next_peer.data()));
}

// Into next_peer() the kernel writes who it is, when there is one.
inline void ask_accept(io_uring_sqe& entry, Listener& listener) {
    static_assert(std::is_trivially_destructible_v<os::SocketAddress>);
    os::SocketAddress& peer = *new (listener.next_peer.data()) os::SocketAddress;
    entry.opcode = IORING_OP_ACCEPT;
    entry.ioprio = kAcceptPollFirst;
    entry.fd = number(listener.descriptor);
    entry.addr = std::bit_cast<std::uintptr_t>(peer.room());
    entry.addr2 = std::bit_cast<std::uintptr_t>(peer.room_length());
    entry.accept_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    entry.user_data = name_of(listener, Asked::accept);
}

inline void ask_nothing(io_uring_sqe& entry) {
    entry = {};
    entry.opcode = IORING_OP_NOP;
    entry.flags = IOSQE_CQE_SKIP_SUCCESS;
    entry.user_data = name_of(Asked::cancel);
}

inline void ask_poll(io_uring_sqe& entry, int descriptor, std::uint16_t events,
                     std::uint64_t name) {
    entry.opcode = IORING_OP_POLL_ADD;
    entry.len = IORING_POLL_ADD_MULTI;
    entry.fd = descriptor;
    // The kernel wants the two halves swapped on big-endian machines; `events` is the low one.
    entry.poll32_events = std::endian::native == std::endian::little
                              ? events
                              : static_cast<std::uint32_t>(events) << 16U;
    entry.user_data = name;
}

// Answers only if the number is not open.
inline void ask_close(io_uring_sqe& entry, int descriptor) {
    entry.opcode = IORING_OP_CLOSE;
    entry.fd = descriptor;
    entry.flags = IOSQE_CQE_SKIP_SUCCESS;
    entry.user_data = name_of(Asked::cancel);
}

inline void ask_cancel(io_uring_sqe& entry, std::uint64_t name) {
    entry.opcode = IORING_OP_ASYNC_CANCEL;
    entry.addr = name;
    entry.flags = IOSQE_CQE_SKIP_SUCCESS;
    entry.user_data = name_of(Asked::cancel);
}

}  // namespace berth::driver::uring
