// SPDX-License-Identifier: MIT
//
// Driver: the seam. How a loop talks to the kernel about sockets, in io_uring's way of thinking.
//
// epoll emulates the completions, a simulation invents them. Socket logic stands above and
// exists once. Calls go down through this interface; completions come up into a Sink, which is
// a concrete class and not an interface: each driver is a template over it (ADR 0002).
//
// The contract. tests/conformance has one test per numbered sentence.
//
//  1. An operation is described by the caller's Stream, Listener and memory; starting one never
//     allocates.
//  2. Every operation that was started ends with exactly one last completion, also when it is
//     cancelled: accept with on_accept_end, connect with on_connected, receive with
//     on_receive_end, send_when_ready with on_sent, close with on_closed. Closing a stream
//     answers its receive, connect and send_when_ready silently: on_closed is then the last
//     completion of all of them.
//  3. No completion is delivered from inside a call other than poll.
//  4. Until its last completion an operation's memory belongs to the driver: Stream and Listener
//     do not move, and the slices of send_when_ready stay valid. The caller closes no descriptor
//     of a stream; the driver does, once the kernel no longer uses it.
//  5. send is optimistic: it never waits, and what it takes is gone: its memory is free, and no
//     completion follows. Fewer bytes than given means that the socket is full.
//  6. poll delivers completions, also those that its own sink's calls produced, waits no longer
//     than its deadline, and does not wait while anything is ready. delivered_all and is_put_off
//     say what a bound made it leave for the next one.
//  7. accept and receive are armed: one start, many completions. Received bytes are lent until
//     on_received returns. Where leaves_more says so, what follows them is in the kernel, and
//     others may take it until then.
//  8. A FIN is reported after the last byte before it; an error after the bytes that preceded it.
//     An error that comes after the FIN is reported once more, by a second on_receive_end.
//  9. wake is the only call for other threads; wakes may merge, and none is lost.
// 10. The budget bounds the bytes of one stream per poll; the rest comes with the next one.
// 11. pause_receive holds bytes back in the kernel; no on_received follows it until
//     resume_receive, and nothing is lost.
// 12. A close with a reset takes effect at once: nothing of the stream is sent after it. After
//     on_closed the descriptor is closed: the peer has its FIN or RST, the number may be
//     used again, and the Stream may be reused by the caller.
// 13. After on_accept_end the listener has no operation in flight, its descriptor is the
//     caller's to close, and the port is free once it did.
// 14. Bounds are given at opening; exceeding one is an error value, not growth.
// 15. send_soon may put off asking the kernel until the next poll; what it takes, it has copied.
//     What the kernel refuses then comes back, in order and before anything else of the stream is
//     sent: by on_unsent, or from settle, which asks the kernel at once. Whoever ends sending, or
//     closes in order, settles first.
// 16. Datagrams are armed, too, and come in batches, one of a socket in a poll, each whole and in
//     the kernel's order, also empty ones; lent until on_datagrams returns. One that is longer
//     than the bound comes cut, and says so. Their memory is taken when the driver's first
//     datagram socket is started, and again when its first with SocketOption::merge is. Such a
//     one may take more in a poll than the bound of a batch says.
// 17. No error ends a datagram socket: on_datagram_error tells of each, and it is still armed.
// 18. stop_receive_datagrams disarms at once; finish_receive_datagrams delivers first what the
//     kernel has. Either way on_datagrams_end is the last completion, after which the descriptor
//     is the caller's to close.
// 19. send_datagrams never waits. It says how many the kernel took, each of them whole, at least
//     one; or why it refused the first.
// 20. A watch tells of input (also an end, or an error) and of room: of what is so when it begins,
//     and of each change. It may tell again what is so, as far as its owner waits for that. Whoever
//     is told reads, or writes, until the kernel has no more, or comes back by himself.
// 21. stop_watch disarms at once; on_watch_end is the last completion, after which the descriptor
//     is the caller's to close.
//
// Lifetime:  streams and listeners must be closed, and their completions taken, before the
//            driver is destroyed.
// Threads:   the thread of the first poll owns it; before that only opening is allowed.
// See:       docs/decisions/0002-completion-seam.md, research in docs/internals/seam.md.

#pragma once

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace berth::driver {

using base::Outcome;

// One slice of a vectored send.
using Slices = std::span<const Bytes>;

// What every source of events is known by. Embedded in the owner's object, and never moved while
// an operation is in flight. All but `descriptor` belongs to the driver.
struct Source {
    Descriptor descriptor = Descriptor::none;
    std::uint8_t odd = 0;  // 0 on a stream in its normal turn: one test on the hot path
    std::uint8_t state = 0;
    std::uint16_t error = 0;  // an errno that the kernel told once, kept until it is reported
    Source* next = nullptr;   // the driver's lists
};

// A connected (or connecting) stream socket.
struct Stream : Source {
    const Slices* pinned = nullptr;  // of send_when_ready, while in flight
    // io_uring's: bytes received in one poll, and the numbers of the polls in which it received
    // and sent soon the last time.
    std::uint32_t heard = 0;
    std::uint16_t heard_in = 0;
    std::uint16_t sent_in = 0;
};

struct Listener : Source {
    bool tells_waiting = true;  // how many clients there are (waiting_clients.hpp)
    // io_uring's: room for an os::SocketAddress, where the kernel writes who comes next. Not of
    // that type, so that who includes the seam sees no header of the system's.
    alignas(8) std::array<std::byte, 136> next_peer{};
};

// Since the socket was made; they wrap around.
struct DatagramCounts {
    std::uint32_t dropped = 0;       // by the kernel, as it told last (SocketOption::count_drops)
    std::uint32_t gro_received = 0;  // that came as one with others (SocketOption::merge)
    std::uint32_t gso_sent = 0;      // that left as one with others
};

// A bound, or connected, datagram socket. As with a listener the descriptor stays the caller's, and
// so does joins_sends.
struct DatagramSocket : Source {
    int family = 0;  // of its addresses
    DatagramCounts counts;
    bool joins_sends = false;        // may equal datagrams to one peer leave as one?
    bool merges = false;             // does it receive such ones?
    std::uint16_t joined_bytes = 0;  // the longest that may be joined; 0: none
};

// A descriptor that its owner reads and writes by calls of his own, of System. It stays his.
struct Watched : Source {
    // What the owner waits for. A driver need not look at it.
    bool wants_input = true;
    bool wants_room = false;
};

struct Ready {
    bool input = false;  // or an end, or an error
    bool room = false;
};

struct ReceivedDatagram {
    Bytes bytes;
    IpEndpoint peer;                  // family 0: it has no address
    std::string_view peer_name = {};  // of a Unix socket's, lent as the bytes; empty: unnamed
    IpEndpoint local;  // whom it was sent to, without the port: SocketOption::tell_destination
    bool is_truncated = false;
    bool is_to_many = false;  // `local` is a multicast or broadcast address: nobody's own
};

struct OutgoingDatagram {
    Bytes bytes;
    IpEndpoint to;    // family 0: whom the socket is connected to
    IpEndpoint from;  // a local address, without the port; family 0: the kernel chooses
    std::string_view to_name = {};  // of a Unix socket, in place of `to`
};

using ReceivedDatagrams = std::span<const ReceivedDatagram>;
using OutgoingDatagrams = std::span<const OutgoingDatagram>;

// What became of an optimistic send, in one register.
class Sent {
public:
    // The first `count` bytes, or datagrams, are gone and their memory is free; fewer than given:
    // it would block, the caller keeps the rest and uses send_when_ready.
    static constexpr Sent done(std::size_t count) { return Sent{static_cast<std::int64_t>(count)}; }
    static constexpr Sent failed(int errno_value) { return Sent{-std::int64_t{errno_value}}; }

    constexpr bool is_failed() const { return value_ < 0; }
    constexpr int errno_value() const { return static_cast<int>(-value_); }
    constexpr std::size_t count() const { return static_cast<std::size_t>(value_); }

private:
    explicit constexpr Sent(std::int64_t value) : value_(value) {}
    std::int64_t value_;
};

enum class Ending : std::uint8_t {
    orderly,  // close(2): FIN, if nothing is unread
    reset,    // SO_LINGER 0, then close: RST, and what was not sent is dropped
};

// Longer output is sent at once, also by send_soon: to copy it would cost what a call costs. Only
// what was received in this poll need not be copied, and may be as long as the read_budget. Up to
// twice as much may come back: what was refused, and what followed it.
inline constexpr std::size_t kSoonMax = 16U << 10U;

// What opening a driver grants it. Each is at least 1.
struct Bounds {
    std::size_t receive_bytes = 64U << 10U;   // one receive buffer, shared by all streams
    std::size_t read_budget = 256U << 10U;    // bytes of one stream per poll
    std::size_t accept_budget = 64;           // connections of one listener per poll
    std::size_t events_max = 512;             // kernel events taken per poll
    std::size_t datagram_bytes = 64U << 10U;  // of one datagram
    std::size_t datagram_batch = 32;          // datagrams of one socket per poll
};

constexpr bool is_usable(const Bounds& bounds) {
    return bounds.receive_bytes > 0 && bounds.read_budget > 0 && bounds.accept_budget > 0 &&
           bounds.events_max > 0 && bounds.datagram_bytes > 0 && bounds.datagram_batch > 0;
}

// The completions, as every Sink must have them:
//
//     void on_awake(std::size_t events)       first in each poll, right after any wait
//     void on_accepted(Listener&, Descriptor, const IpEndpoint& peer)   peer.family 0: Unix
//     void on_accept_error(Listener&, int errno_value)   one attempt failed; still armed
//     void on_accept_end(Listener&, int errno_value)     last; 0: stopped. EMFILE, ENFILE,
//                                                        ENOBUFS, ENOMEM end it: arm it again later
//     void on_connected(Stream&, int errno_value)        0: connected
//     void on_received(Stream&, Bytes)                   at least one byte
//     void on_receive_end(Stream&, int errno_value)      0: the peer's FIN
//     void on_sent(Stream&, Sent)                        of send_when_ready: at least one byte,
//                                                        or failed
//     void on_unsent(Stream&, Slices, int errno_value)   of send_soon: at least one byte, lent;
//                                                        0: the socket is full
//     void on_closed(Stream&)
//     void on_datagrams(DatagramSocket&, ReceivedDatagrams)      at least one
//     void on_datagram_error(DatagramSocket&, int errno_value)   of an earlier send, mostly
//     void on_datagrams_end(DatagramSocket&)
//     void on_ready(Watched&, Ready)                             at least one of the two
//     void on_watch_end(Watched&)

class Driver {
public:
    Driver() = default;
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;
    virtual ~Driver() = default;

    // ── Listeners ────────────────────────────────────────────────────────────────────────────
    // Arms accepting on a listening descriptor. Connections come non-blocking, close-on-exec.
    virtual Outcome<void> start_accept(Listener& listener) = 0;
    // Disarms; on_accept_end(0) follows. Connections accepted meanwhile still come before it.
    virtual void stop_accept(Listener& listener) = 0;

    // ── Streams ──────────────────────────────────────────────────────────────────────────────
    // Takes over an accepted descriptor and arms receiving.
    virtual Outcome<void> start_receive(Stream& stream) = 0;
    // Connects stream.descriptor, a fresh socket. After on_connected(0) receiving is armed.
    virtual Outcome<void> connect(Stream& stream, const Endpoint& endpoint) = 0;
    virtual void pause_receive(Stream& stream) = 0;
    virtual void resume_receive(Stream& stream) = 0;

    // Never while a send_when_ready of this stream is in flight.
    virtual Sent send(Stream& stream, Bytes bytes) = 0;
    virtual Sent send_slices(Stream& stream, Slices slices) = 0;  // the same, vectored
    // Like send, but the answer may come later: the cheapest way for short output at the end of a
    // turn, where the driver sends for many streams in one call.
    virtual Sent send_soon(Stream& stream, Bytes bytes) = 0;
    // What the kernel refuses of it, lent until the next call; nearly always empty.
    virtual Slices settle(Stream& stream) = 0;
    // Waits until the kernel takes at least one byte of `slices`; then on_sent. The span object,
    // its slices and their bytes stay in place until then.
    virtual void send_when_ready(Stream& stream, const Slices& slices) = 0;
    // FIN after everything sent so far (SHUT_WR, shutdown(2)). Nothing may be sent after it.
    virtual void end_sending(Stream& stream) = 0;
    // Cancels what is in flight, closes the descriptor, then on_closed.
    virtual void close(Stream& stream, Ending ending) = 0;

    // ── Datagrams ────────────────────────────────────────────────────────────────────────────
    // Arms receiving on a bound or connected descriptor.
    virtual Outcome<void> start_receive_datagrams(DatagramSocket& socket) = 0;
    virtual void stop_receive_datagrams(DatagramSocket& socket) = 0;
    virtual void finish_receive_datagrams(DatagramSocket& socket) = 0;
    // From the first start on, until the descriptor is closed.
    virtual Sent send_datagrams(DatagramSocket& socket, OutgoingDatagrams datagrams) = 0;

    // ── Readiness ────────────────────────────────────────────────────────────────────────────
    // Of a descriptor that nothing else of this driver is started on.
    virtual Outcome<void> start_watch(Watched& watched) = 0;
    virtual void stop_watch(Watched& watched) = 0;

    // ── The loop ─────────────────────────────────────────────────────────────────────────────
    // `deadline` in the past: do not wait. Fails only when the driver itself is broken.
    virtual Outcome<void> poll(Deadline deadline) = 0;
    // Had everything that was ready its turn in the last poll, or did events_max cut it short?
    virtual bool delivered_all() const = 0;
    // Did the budget end this stream's last turn, so that more is certain to be there?
    virtual bool is_put_off(const Stream& stream) const = 0;
    virtual void wake() = 0;  // any thread

    // Asked from inside on_received, about its stream, with how much came: is more in the kernel,
    // where others may take it until on_received returns? A driver that takes input early answers
    // no, and from then on leaves there what follows a piece.
    virtual bool leaves_more(Stream& /*stream*/, std::size_t /*received*/) { return false; }
};

}  // namespace berth::driver
