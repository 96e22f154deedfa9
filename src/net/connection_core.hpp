// SPDX-License-Identifier: MIT
//
// ConnectionCore: what a Connection really is.
//
// The public class is its first base and has no data, so a Connection& is a ConnectionCore&.
// connection_state.hpp decides what events mean; this class does it: input and turns in
// connection_input.cpp, output in connection_output.cpp, the way to the end in
// connection_close.cpp, what a transport changes in connection_wire.cpp, the public face in
// connection.cpp.
//
// The message path asks one question: is anything odd? `odd_` is 0 for an open, plain connection
// with nothing unread and nothing owed.
//
// Lifetime:  in a slot of its ConnectionTable, from accept or connect to the end of the batch
//            in which on_close was called.
// Threads:   the loop's.

#pragma once

#include "base/byte_queue.hpp"
#include "base/slab.hpp"
#include "loop/events.hpp"
#include "loop/timer_wheel.hpp"
#include "net/connection_state.hpp"
#include "net/output_queue.hpp"
#include "net/turn.hpp"

#include <berth/connection.hpp>
#include <berth/handler.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace berth::net {

class ConnectionTable;
class Wire;

// What a connection begins with.
struct NewConnection {
    driver::Descriptor socket;
    const IpEndpoint& peer;
    std::size_t listener;
};

class ConnectionCore final : public Connection, public loop::StreamEvents, private loop::Timer {
public:
    ConnectionCore(base::SlotId id, ConnectionTable& table, const NewConnection& made);
    ~ConnectionCore();

    static ConnectionCore& of(Connection& connection) {
        return static_cast<ConnectionCore&>(connection);
    }
    static const ConnectionCore& of(const Connection& connection) {
        return static_cast<const ConnectionCore&>(connection);
    }

    // ── Beginning ────────────────────────────────────────────────────────────────────────────
    void open_accepted();
    void start_connecting(const Endpoint& endpoint, Deadline deadline);

    // ── Input ────────────────────────────────────────────────────────────────────────────────
    Bytes unread() const { return kept_.empty() ? fresh_ : kept_.view(); }
    void consume(std::size_t count);  // views stay valid until the end of the callback
    void pause_by_user();
    void resume_by_user();
    void wake();  // on_traffic, whether or not anything is unread

    // ── Output ───────────────────────────────────────────────────────────────────────────────
    WriteStatus write(Bytes bytes);  // connection_turn.hpp
    WriteStatus write(Buffer&& buffer);
    // `waiter` is finished when the kernel has taken all of `buffer`, or when it never will.
    void write_and_tell(Buffer&& buffer, WriteWaiter& waiter);
    void flush();
    std::size_t unsent() const;

    // ── Ending ───────────────────────────────────────────────────────────────────────────────
    void end();
    void close(CloseMode mode, CloseReason reason);
    // Asks the handler whether it wants to close now that the engine stops.
    void drain(Deadline deadline);
    // Closes it if on_drain left that to us.
    void finish_drain();
    // The harvest for its FIN begins; false: one is under way.
    bool begin_harvest();
    // The deadline has passed: closes, and counts what that cost.
    void force();
    // The driver is broken: ends without its help.
    void abandon(CloseReason reason);

    // ── End of batch ─────────────────────────────────────────────────────────────────────────
    // What was put off: sends what was written outside a turn, calls on_writable, and so on.
    void end_batch();

    // ── Identity ─────────────────────────────────────────────────────────────────────────────
    base::SlotId slot() const { return id_; }
    ConnectionId id() const;
    ConnectionTable& table() const { return table_; }
    ConnectionState state() const { return state_; }
    bool is_gone() const { return net::is_gone(state_); }
    bool was_opened() const { return opened_; }
    std::size_t listener() const { return listener_; }
    Endpoint peer_endpoint() const;
    Endpoint local_endpoint() const;
    ConnectionCounters counters() const;
    void set_context(void* object, void (*const* destroy)(void*));
    void* context_if(void (*const* destroy)(void*)) const {
        return context_destroy_ == destroy ? context_ : nullptr;
    }

    // ── From the loop ────────────────────────────────────────────────────────────────────────
    void on_received(Bytes bytes) override;
    void on_receive_end(int errno_value) override;
    void on_sent(driver::Sent sent) override;
    void on_connected(int errno_value) override;
    void on_closed() override;

private:
    // Bits of odd_. Any of them takes a message off the hot path.
    enum Odd : std::uint16_t {
        kNotOpen = 1,          // state_ is not open
        kKept = 2,             // unread input is kept in kept_
        kUserPaused = 4,       // pause_read
        kOverHigh = 8,         // output above high: reading is paused, on_writable will follow
        kDirty = 16,           // in the table's list for the end of the batch
        kSending = 32,         // a send_when_ready is in flight
        kWantsTraffic = 64,    // on_traffic at the end of the batch
        kWantsWritable = 128,  // on_writable at the end of the batch
        kDraining = 256,       // on_drain answered close
        kHarvesting = 512,     // in the table's list of those whose FIN waits for a harvest
        kTransported = 1024,   // it has a Wire; never cleared
        kMustRead = 2048,      // its transport seals nothing before it has received something
    };
    bool is(unsigned bits) const { return (odd_ & bits) != 0; }
    void set(unsigned bits) { odd_ = static_cast<std::uint16_t>(odd_ | bits); }
    void clear(unsigned bits) { odd_ = static_cast<std::uint16_t>(odd_ & ~bits); }

    // Turns: connection_turn.hpp
    template <class Call>
    void take_turn(Callback callback, Call&& call);
    void end_turn(Action action);
    void obey(Action action);
    void leave_unread();
    void consume_kept(std::size_t count);
    void send_turn();
    bool write_to_turn(Bytes bytes);

    // Input: connection_input.cpp
    void received_odd(Bytes bytes);
    void traffic();
    void keep_unread();
    void discard_input();
    bool is_paused() const { return is(kUserPaused | kOverHigh); }
    bool is_held() const { return is_paused() && !is(kMustRead); }
    void pause(Odd why);
    void resume(Odd why);
    void change_reading(unsigned bits_set, unsigned bits_cleared);

    // Output: connection_output.cpp
    WriteStatus write_slow(Bytes bytes);
    WriteStatus write_directly(Bytes bytes);
    bool may_queue(std::size_t count);
    WriteStatus pressure();
    OutputQueue& queue();
    void queue_turn();
    void keep_rest(driver::Slices slices, std::size_t sent);
    void send_turn_short(Bytes written, driver::Sent sent);
    void settle();
    OutputQueue* outgoing();
    void send_queue();
    void taken(std::size_t count);
    void sent_from_queue(std::size_t count);
    void arm_send();
    void drop_output();
    void mark_dirty();

    // A transport: connection_wire.cpp
    Wire& wire() const;
    void shake_hands();
    void received_wire(Bytes bytes);
    void read_wire();
    void heed_wire();
    void wire_ended();
    OutputQueue* outgoing_wire();
    bool finish_output();

    // Ending: connection_close.cpp
    void begin();
    void advance(ConnectionEvent event);
    void perform(ConnectionEffect effect);
    void tell_open();
    void tell_end();
    void report();
    void linger();
    void send_fin();
    void fail(int errno_value);
    void abort(driver::Ending ending);
    void start_closing();
    bool is_acknowledged() const;
    void drain_connecting();
    void account_for_stop();
    void note_reason(CloseReason reason);
    void override_reason(CloseReason reason);
    void arm_idle_timer();
    static void fire(loop::Timer& timer);
    void timed_out();

    ConnectionTable& table_;
    base::SlotId id_;
    Bytes fresh_;  // lent for this turn
    base::ByteQueue kept_;
    std::unique_ptr<OutputQueue> output_;
    std::uint64_t bytes_received_ = 0;
    std::uint64_t bytes_written_ = 0;
    Instant last_activity_;
    void* context_ = nullptr;
    void (*const* context_destroy_)(void*) = nullptr;
    IpEndpoint peer_;
    mutable IpEndpoint local_;  // family 0: not asked for yet
    std::uint16_t listener_;
    std::uint16_t odd_ = kNotOpen;
    std::uint16_t errno_ = 0;  // why it failed, if the kernel said so
    ConnectionState state_ = ConnectionState::connecting;
    CloseReason reason_ = CloseReason::local_close;
    driver::Ending ending_ = driver::Ending::orderly;
    bool reason_noted_ : 1 = false;
    bool fin_sent_ : 1 = false;
    bool opened_ : 1 = false;  // on_open was called, on_close will be
};

}  // namespace berth::net
