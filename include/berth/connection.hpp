// SPDX-License-Identifier: MIT
//
// Connection: an established stream (TCP, Unix), one of packets (unixpacket:), a connected datagram
// socket (udp:, unixgram:), or a UDP peer's session.
//
// Packets keep their bounds: each is one on_traffic whose view is exactly that packet, what is left
// unread of it is dropped, and each write is one packet. Otherwise it behaves as a stream does. An
// empty packet cannot be told from the end: none is sent, and one that comes is the end.
//
// Of datagrams each, also an empty one, is one on_traffic whose view is exactly that datagram: what
// is left unread is dropped. Each write is one datagram, or is refused, which does not close the
// connection. Nobody says goodbye: end() and a close are one. A paused session drops its input.
//
// Lifetime:  the loop owns it. A Connection& is good for the callback it was passed to and no
//            longer. To reach it later, from anywhere, keep its ConnectionId.
// Threads:   every call is loop-only (asserted in debug builds).
// Errors:    a failed stream is reported once, as the reason given to on_close. Calls on a
//            connection that is closing are defined and do nothing.
//
// No call below ever runs a callback from inside.

#pragma once

#include <berth/buffer.hpp>
#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/connection_id.hpp>
#include <berth/context.hpp>
#include <berth/delivery.hpp>
#include <berth/endpoint.hpp>
#include <berth/export.hpp>
#include <berth/file_descriptor.hpp>
#include <berth/function.hpp>
#include <berth/in_flight.hpp>
#include <berth/result.hpp>
#include <berth/timer_id.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

class EventLoop;

enum class CloseMode : std::uint8_t {
    after_flush,  // send what is queued, then FIN, then wait for the peer's FIN (bounded)
    now,          // close at once; if queued bytes are lost by that, it is a reset
    reset,        // drop what is queued, RST (SO_LINGER 0, socket(7))
};

// What became of a write. It may be ignored: a refused write also closes the connection.
enum class WriteStatus : std::uint8_t {
    queued,     // all bytes taken
    over_high,  // all bytes taken, and the output is above Options::output_high: slow down
    refused,    // none taken: closing, or past Options::output_max (reason outbound_overflow)
    too_long,   // none taken, and nothing closes: a packet is bounded by the send buffer, less 32
                // bytes: Options::send_buffer, set_send_buffer
};

// `count` bytes of a file, from `offset` on.
struct FilePart {
    int file = -1;  // a descriptor that can be read
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
};

struct ConnectionCounters {
    std::uint64_t bytes_received = 0;  // read from the kernel
    std::uint64_t bytes_written = 0;   // taken by write()
    std::uint64_t bytes_sent = 0;      // taken by the kernel
};

// Of the process at the other end, as it was when it connected or listened.
struct PeerCredentials {
    std::int64_t pid = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

class BERTH_EXPORT Connection {
public:
    static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t kNoListener = 0xffff;

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // ── Input ────────────────────────────────────────────────────────────────────────────────
    // Unread bytes are one contiguous view. It is valid until the next input call or the end of
    // the callback. What a handler leaves unread is kept and seen again with the next bytes.

    Bytes peek() const;                             // all unread bytes, not consumed
    Bytes next(std::size_t count = kAll);           // consumes and views up to `count` bytes
    std::size_t read(MutableBytes into);            // consumes and copies; 0 when there is nothing
    std::size_t discard(std::size_t count = kAll);  // consumes without looking; how many
    Buffer take(std::size_t count = kAll);  // consumes into a Buffer that may be kept and sent
    std::size_t unread() const;

    // Stops and restarts reading; on_traffic is not called while paused. Calls do not nest.
    void pause_read();
    void resume_read();

    // ── Output ───────────────────────────────────────────────────────────────────────────────
    // Writes of one callback leave together in one system call when the callback returns; large
    // ones leave at once. A write takes all bytes or none.

    WriteStatus write(Bytes bytes);
    WriteStatus write(std::string_view text) { return write(as_bytes(text)); }
    WriteStatus write(Buffer&& buffer);  // without a copy

    // Sends a part of a file, in order with what is written before and after (sendfile(2)). The
    // descriptor is the caller's, and may be closed at once. `done` runs when the kernel has taken
    // the last byte, or when it never will. A file that turns out to be shorter breaks the stream:
    // io_error, and a reset. What is left of it counts as unsent, but not against output_max.
    // Reading a file may wait for the disk, and the loop with it.
    Result<void> send_file(const FilePart& part, Completion done = {});

    // The same with descriptors (SCM_RIGHTS, unix(7)), over a Unix stream or packets, where
    // descriptors_max allows it (Options, DialOptions). They arrive with the first byte at the
    // latest, as descriptors of the receiver's own. Taken: they are the connection's, and closed
    // here when the kernel has them. An error, or a status that says that no byte was taken: they
    // are still the caller's. Fails with unsupported where they cannot travel; invalid_option for
    // no byte, none, or more than 253; as the kernel says where it refuses them.
    Result<WriteStatus> write_with(Bytes bytes, std::span<FileDescriptor> descriptors);
    Result<WriteStatus> write_with(std::string_view text, FileDescriptor&& descriptor) {
        return write_with(as_bytes(text), {&descriptor, 1});
    }
    // What came with the input of this callback, in order. Whoever takes them owns them. Of a
    // stream they wait while some input is left unread; what nobody takes is closed, and counted.
    std::vector<FileDescriptor> take_descriptors();
    // Have some been lost since the last call: above descriptors_max, or above what this process
    // may have open (MSG_CTRUNC)? Then the sender's message is not what he meant.
    bool has_lost_descriptors();

    void flush();  // hands queued bytes to the kernel now, as far as it takes them
    // Queued here, not yet taken by the kernel. Over io_uring what a callback wrote leaves a moment
    // after it has returned; it is not counted meanwhile, and comes back if the kernel has no room.
    std::size_t unsent() const;

    // Half-close: FIN after what is queued. The peer may go on sending, and is read.
    void end();
    // Starts closing; a stricter mode overrides a gentler one. on_close follows exactly once.
    void close(CloseMode mode = CloseMode::after_flush);

    // Joins this connection with `other`, of the same loop. What one receives is sent to the other,
    // both ways, without the handler, and read no faster than it is taken. An end is carried on;
    // if one side fails or is closed, the other is closed, too (relay_closed). Of the handler only
    // on_drain and on_close are called. Where on_drain of this side returns close, an end follows
    // what has arrived, and the answers of `other` still come back. False: not joined, because one
    // is closing, was joined before, or is of another loop.
    bool relay_to(Connection& other);

    // Marks that a request is being worked on: while the token lives the connection is busy, and
    // a stop waits for it. For work that leaves the callback; writes need none.
    InFlight begin();

    // ── Time ─────────────────────────────────────────────────────────────────────────────────
    // As EventLoop::schedule_after and schedule_every, and for this connection only: what waits
    // when it closes never runs, and is gone after on_close. EventLoop::cancel takes it back. A
    // throw loses the connection (reason handler_threw).

    TimerId schedule_after(Duration delay, UniqueFunction<void(Connection&)> task);
    TimerId schedule_every(Duration period, UniqueFunction<void(Connection&)> task);

    // Its own limits in place of those of Options, from now on; zero or less: none.
    void set_idle_timeout(Duration timeout);
    void set_read_timeout(Duration timeout);
    void set_write_stall_timeout(Duration timeout);
    void set_lifetime_max(Duration lifetime);  // since it was accepted, or begun to connect
    void set_linger(Duration silence);

    // ── Socket ───────────────────────────────────────────────────────────────────────────────
    // Fail with invalid_option for a value that cannot be, unsupported where the socket has no
    // such option (a Unix one), not_running once it is closed.

    Result<void> set_no_delay(bool on);  // TCP_NODELAY, tcp(7)
    // Whole seconds. `idle` 0: no probes; `interval` and `count` 0: as the kernel has them.
    Result<void> set_keepalive(Duration idle, Duration interval = {}, unsigned count = 0);
    Result<void> set_user_timeout(Duration timeout);     // TCP_USER_TIMEOUT; 0: the kernel's
    Result<void> set_receive_buffer(std::size_t bytes);  // SO_RCVBUF, socket(7)
    Result<void> set_send_buffer(std::size_t bytes);     // SO_SNDBUF
    // A close-on-exec duplicate of the descriptor, yours to close(2). While it is open the
    // connection is too, for its peer, whatever is closed here; unless it is reset.
    Result<int> duplicate() const;
    // Who connected, or listens: SO_PEERCRED, unix(7). Unix sockets only.
    Result<PeerCredentials> peer_credentials() const;

    // ── Identity ─────────────────────────────────────────────────────────────────────────────

    ConnectionId id() const;
    EventLoop& loop() const;
    // Which of the addresses given to start() accepted it, from 0; kNoListener for one that was
    // dialled or adopted.
    std::size_t listener_index() const;
    // Also in on_close; but a Unix peer's own name, if it has one, only before.
    Endpoint peer_endpoint() const;
    Endpoint local_endpoint() const;
    ConnectionCounters counters() const;
    // False once it is closing: nothing written from now on will be sent.
    bool is_open() const;

    // ── Context: one object of the user's per connection, destroyed after on_close ───────────

    template <class T, class... Args>
    T& emplace_context(Args&&... args) {
        T* object = new T(std::forward<Args>(args)...);
        set_context(object, &Context::kTag<T>);
        return *object;
    }
    // The object made by emplace_context<T>; null when there is none, or one of another type.
    template <class T>
    T* context() const {
        return static_cast<T*>(context_if(&Context::kTag<T>));
    }

protected:
    Connection() = default;
    ~Connection() = default;

private:
    void set_context(void* object, const Context::Destroy* tag);
    void* context_if(const Context::Destroy* tag) const;
};

}  // namespace berth
