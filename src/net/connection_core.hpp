// SPDX-License-Identifier: MIT
//
// ConnectionCore: what a Connection really is.
//
// The public class is its first base and has no data, so a Connection& is a ConnectionCore&.
// connection_state.hpp decides what events mean; this class does it: input and turns in
// connection_input.cpp, output in connection_output.cpp, beginning and end in
// connection_close.cpp, a stop in connection_drain.cpp, the wait for the peer's FIN and other
// timers in connection_time.cpp, what became of its bytes in connection_fate.cpp, the journey to
// another process in connection_travel.cpp, two that are joined in connection_relay.cpp, files
// that it sends in connection_file.cpp, datagrams in connection_datagram.cpp, packets and
// descriptors in connection_message.cpp, what a transport changes in connection_wire.cpp, its
// socket in connection_socket.cpp, the public face in connection.cpp.
//
// The message path asks one question: is anything odd? `odd_` is 0 for an open, plain connection
// with nothing unread and nothing owed.
//
// Lifetime:  in a slot of its ConnectionTable, from accept or connect to the end of the batch
//            in which on_close was called.
// Threads:   the loop's.

#pragma once

#include "base/byte_queue.hpp"
#include "base/outcome.hpp"
#include "base/slab.hpp"
#include "loop/events.hpp"
#include "net/connection_state.hpp"
#include "net/farewell.hpp"
#include "net/file_output.hpp"
#include "net/loop_counters.hpp"
#include "net/output_queue.hpp"
#include "net/time_limits.hpp"
#include "net/timer_table.hpp"
#include "net/traveller.hpp"
#include "net/turn.hpp"

#include <berth/connection.hpp>
#include <berth/handler.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace berth::net {

class ConnectionTable;
class DatagramCarrier;
class MessageLink;
class SplicePipe;
class Wire;
struct MessagePlan;
struct SocketSetting;

// How a connection counts among those of its listener and its peer's address.
enum class Seat : std::uint8_t {
    none,     // not at all
    held,     // Host::place_left follows
    refused,  // sent away; the table bounds how many of those there are
    session,  // of datagrams: Host::session_left follows
};

// What a connection begins with.
struct NewConnection {
    driver::Descriptor socket;
    const IpEndpoint& peer;
    std::size_t listener;
    Seat seat = Seat::none;
};

class ConnectionCore final : public Connection, public loop::StreamEvents {
public:
    ConnectionCore(base::SlotId id, ConnectionTable& table, const NewConnection& made);
    ~ConnectionCore() override;

    static ConnectionCore& of(Connection& connection) {
        return static_cast<ConnectionCore&>(connection);
    }
    static const ConnectionCore& of(const Connection& connection) {
        return static_cast<const ConnectionCore&>(connection);
    }

    // ── Beginning ────────────────────────────────────────────────────────────────────────────
    void open_accepted();
    void open_refused();  // LateAccept::refuse: no callback, an end in order
    void open_imported(const Traveller& traveller);
    void start_connecting(const Endpoint& endpoint, Deadline deadline, std::size_t descriptors_max);
    // By a Dial: it has no socket until open_dialled.
    void start_dialling(Deadline deadline);
    void open_dialled(driver::Descriptor socket, const Endpoint& peer, std::size_t descriptors_max);
    void fail_dial(int errno_value) { fail(errno_value); }

    // ── Input ────────────────────────────────────────────────────────────────────────────────
    Bytes unread() const;  // connection_turn.hpp
    // How many of `count` there were. Views stay valid until the end of the callback.
    std::size_t discard(std::size_t count);
    void pause_by_user();
    void resume_by_user();
    void wake();  // on_traffic, whether or not anything is unread

    // ── Output ───────────────────────────────────────────────────────────────────────────────
    WriteStatus write(Bytes bytes);  // connection_turn.hpp
    WriteStatus write(Buffer&& buffer);
    // `waiter` is finished when the kernel has taken all of `buffer`, or when it never will.
    void write_and_tell(Buffer&& buffer, WriteWaiter& waiter);
    Result<WriteStatus> write_with(Bytes bytes, std::span<FileDescriptor> attached);
    std::vector<FileDescriptor> take_descriptors();
    bool has_lost_descriptors();
    Result<void> send_file(const FilePart& part, Completion&& done);
    void flush();
    std::size_t unsent() const;

    // ── A relay ──────────────────────────────────────────────────────────────────────────────
    // False: the two cannot be joined.
    bool relay_to(ConnectionCore& far);

    // ── Ending ───────────────────────────────────────────────────────────────────────────────
    void end();
    void close(CloseMode mode, CloseReason reason);
    // Asks the handler, once, whether it wants to close now that there is a stop: at `when`, if
    // that is later.
    void drain(Instant when);
    // Closes it if on_drain left that to us and it is not busy.
    void finish_drain();
    // The harvest for its FIN begins; false: one is under way.
    bool begin_harvest();
    // The deadline has passed: closes, and counts what that cost.
    void force();
    // Did a budget end its last turn of input?
    bool is_put_off() const;
    // Would waiting until the deadline change nothing, as far as anybody can tell?
    bool is_stalled() const;
    bool has_stalled();  // who has not is looked at anew from here on
    // Of an InFlight token.
    void begin_request();
    void end_request();
    // Leaves for another process if it is idle and its handler wants that. Nothing: it stays.
    std::optional<Traveller> travel();
    // The driver is broken: ends without its help.
    void abandon(CloseReason reason);

    // Its own limits from now on, in place of the table's.
    const TimeLimits& limits() const;
    void limit(const TimeLimits& limits);
    Result<void> set_option(const char* operation, const SocketSetting& setting);
    Result<int> duplicate() const;
    Result<PeerCredentials> peer_credentials() const;
    // A timer of the user's that goes with it; none where it is gone already.
    TimerId schedule(const TimerTable::Plan& plan, TimerTable::ConnectionWork&& work);

    // ── End of batch ─────────────────────────────────────────────────────────────────────────
    // What was put off: sends what was written outside a turn, calls on_writable, and so on.
    void end_batch();

    // ── Identity ─────────────────────────────────────────────────────────────────────────────
    base::SlotId slot() const;
    std::uint32_t slot_number() const { return slot_; }
    ConnectionId id() const;
    ConnectionTable& table() const { return table_; }
    ConnectionState state() const { return state_; }
    bool is_gone() const { return net::is_gone(state_); }
    bool was_opened() const { return opened_; }
    std::size_t listener() const { return listener_; }
    Seat seat() const { return seat_; }
    IpEndpoint peer() const;
    Endpoint peer_endpoint() const;
    Endpoint local_endpoint() const;
    ConnectionCounters counters() const;
    void set_context(void* object, const Context::Destroy* tag);
    void set_context(Context&& context);
    void* context_if(const Context::Destroy* tag) const;

    // ── From the loop ────────────────────────────────────────────────────────────────────────
    void on_received(Bytes bytes) override;
    void on_receive_end(int errno_value) override;
    void on_sent(driver::Sent sent) override;
    void on_unsent(driver::Slices slices, int errno_value) override;
    void on_connected(int errno_value) override;
    void on_closed() override;

    // ── From its Link ────────────────────────────────────────────────────────────────────────
    void open_datagrams();
    void open_session();
    void adopt_datagrams(Scheme scheme);
    void received_datagram(Bytes bytes);
    void open_messages();
    void message_sent(std::size_t count);  // of those that waited
    void messages_all_sent();
    void fail_link(int errno_value) { fail(errno_value); }

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
        kDraining = 256,       // our FIN is due as soon as it is not busy
        kHarvesting = 512,     // in the table's list of those whose FIN waits for a harvest
        kTransported = 1024,   // it has a Wire; never cleared
        kMustRead = 2048,      // its transport seals nothing before it has received something
        kRelayed = 4096,       // joined with another connection
        kHeldBack = 8192,      // reading is paused: that one's output is above high
        kFiles = 16384,        // a file is being sent: it has a FileOutput
        kLinked = 32768,       // it has a Link; never cleared
    };
    bool is(unsigned bits) const { return (odd_ & bits) != 0; }
    void set(unsigned bits) { odd_ = static_cast<std::uint16_t>(odd_ | bits); }
    void clear(unsigned bits) { odd_ = static_cast<std::uint16_t>(odd_ & ~bits); }

    // Turns: connection_turn.hpp
    template <class Call>
    void take_turn(Callback callback, Call&& call);
    template <class Call>
    void take_turn_with(Bytes input, Callback callback, Call&& call);
    void end_turn(Action action);
    void end_odd_turn(Action action);
    void end_short_turn();
    void threw(Callback callback);
    void obey(Action action);
    bool send_turn();
    bool send_back(Bytes bytes);
    bool write_to_turn(Bytes bytes);

    // Input: connection_input.cpp
    void received_unusual(Bytes bytes);
    void received_odd(Bytes bytes);
    void traffic(Bytes input);
    void leave_unread();
    bool keep(Bytes bytes);
    void tidy_kept();
    std::size_t discard_kept(std::size_t count);
    void consume_kept(std::size_t count);
    void discard_input();
    bool is_paused() const { return is(kUserPaused | kOverHigh | kHeldBack); }
    bool is_held() const { return is_paused() && !is(kMustRead); }
    void pause(Odd why);
    void resume(Odd why);
    void change_reading(unsigned bits_set, unsigned bits_cleared);

    // Output: connection_output.cpp
    WriteStatus write_slow(Bytes bytes);
    WriteStatus write_directly(Bytes bytes);
    bool may_queue(std::size_t count);
    void owe(std::size_t count);
    void paid(std::size_t count);
    WriteStatus pressure();
    std::size_t held() const;
    OutputQueue& queue();
    void queue_copy(Bytes bytes);
    void queue_turn();
    void keep_rest(driver::Slices slices, std::size_t sent);
    void send_turn_now();
    void send_turn_short(driver::Sent sent);
    bool reclaim();
    void take_back(driver::Slices slices);
    void settle();
    OutputQueue* outgoing();
    void send_queue();
    void taken(std::size_t count);
    void sent_from_queue(std::size_t count);
    void finish_waiters(WriteWaiters& waiters);
    void relieve();
    void arm_send();
    // For the peer to take output; a transport may have reasons of its own.
    bool is_waiting() const { return is(kSending) || (is(kTransported) && output_); }
    bool begin_waiting();
    void drop_output();
    void drop_queue(std::unique_ptr<OutputQueue> queue, Delivery delivery);
    void mark_dirty();

    // Files: connection_file.cpp
    FileOutput& files() const;
    std::uint64_t file_left() const;
    OutputQueue& last_queue();
    void send_files();
    bool send_some_of(FileOutput::File& file, std::size_t& budget);
    void copy_some_of(FileOutput::File& file);
    void finish_file();
    void drop_files(Delivery delivery);

    // A relay: connection_relay.cpp
    void begin_relay();
    void leave_relay();
    void part(driver::Ending ending);
    ConnectionCore* forget_partner();
    void part_in_peace();
    void lost_partner(driver::Ending ending, bool was_forced);
    ConnectionCore* partner() const;
    void relay(Bytes bytes);
    void relay_kept();
    void relay_leftovers();
    void forward(Bytes bytes);
    void splice_on(ConnectionCore& other);
    void splice_failed(int errno_value);
    bool may_splice_to(ConnectionCore& other);
    void queue_spliced(const SplicePipe& pipe, std::size_t count);
    void hold_partner_back();
    void release_partner();
    void relay_end();
    void carry_end_on();
    void drain_relay();
    void finish_relay_drain();

    // A transport: connection_wire.cpp
    Wire& wire() const;
    void shake_hands();
    void received_wire(Bytes bytes);
    void read_wire();
    void heed_wire();
    void wire_ended();
    OutputQueue* outgoing_wire();
    bool finish_output();

    // Datagrams: connection_datagram.cpp
    void connect_datagrams(const Endpoint& endpoint);
    DatagramCarrier& carrier() const;
    // Has it no socket of its own?
    bool is_session() const { return seat_ == Seat::session; }
    Endpoint session_endpoint() const;
    void drop_rest();
    WriteStatus write_datagram(Bytes bytes);

    // Packets and descriptors: connection_message.cpp
    MessageLink* messages() const;
    // Does nobody say goodbye?
    bool is_datagrams() const { return is(kLinked) && messages() == nullptr; }
    bool keeps_bounds() const;
    int start_accepted();
    int start_connected(const std::optional<MessagePlan>& plan);
    void connect_messages(const Endpoint& endpoint, const MessagePlan& plan);
    WriteStatus write_linked(Bytes bytes);
    base::Outcome<WriteStatus> write_message(Bytes bytes, std::span<FileDescriptor> attached);
    WriteStatus wait_for_room(std::size_t queued);
    void drop_messages(Delivery delivery);

    // Beginning and ending: connection_close.cpp
    void begin();
    void become_open();
    void drain_if_told();
    void advance(ConnectionEvent event);
    void perform(ConnectionEffect effect);
    void move_to(ConnectionState next);
    void enter(Stage stage);
    void tell_open();
    void tell_end();
    void report();
    void send_fin();
    void fail(int errno_value);
    void abort(driver::Ending ending);
    void start_closing();
    void note_reason(CloseReason reason);
    void override_reason(CloseReason reason);

    // A stop: connection_drain.cpp
    void tell_drain();
    void drain_connecting();
    void end_when_idle();
    bool is_fresh() const;
    Instant grace_end() const;
    std::optional<DrainTerms> drain_terms() const;
    void cut_off(CloseReason reason, driver::Ending ending);
    bool is_vanished() const;

    // Time: connection_time.cpp
    TimeWatch& watch();
    void watch_input();
    void watch_output();
    bool give_up(Instant now);
    void leave_for(CloseReason reason);
    Instant next_limit(Instant now) const;
    Instant lifetime_end() const;
    void arm_timer();
    Instant next_look() const;
    void on_due() override;
    void linger();
    void linger_on();
    void leave();
    bool is_too_slow();
    void look();

    // Its addresses: connection_core.cpp
    Scheme scheme() const;
    const Endpoint* listening_on() const;
    void remember_local_endpoint();
    void set_peer(const IpEndpoint& peer);

    // Its bytes: connection_fate.cpp
    Farewell& farewell();
    // Does the kernel know what its peer has acknowledged?
    bool is_acknowledging() const { return peer_family_ != 0 && !is(kLinked); }
    bool is_acknowledged() const;
    std::uint64_t in_kernel() const;
    std::uint64_t acknowledged() const { return bytes_written_ - unsent() - in_kernel(); }
    Fate fate() const;
    void account();
    void account_for_stop(const Fate& fate);
    void drop_late(std::size_t count);
    StopReport::Forced forced_entry(const Fate& fate) const;

    // A journey: connection_travel.cpp
    bool may_travel() const;
    std::optional<Buffer> ask_to_travel();

    // Every idle connection pays for each of these bytes. What few have is in the table, by slot:
    // the user's context, the address of an IPv6 peer, a transport, the Farewell.
    ConnectionTable& table_;
    std::uint32_t slot_;
    std::uint16_t odd_ = kNotOpen;
    std::uint16_t listener_;
    Instant last_activity_;
    std::uint64_t bytes_received_ = 0;
    std::uint64_t bytes_written_ = 0;
    base::ByteQueue kept_;  // what was not read in its turn
    std::unique_ptr<OutputQueue> output_;
    Instant opened_at_;  // accepted, or begun to connect
    std::uint32_t in_flight_ = 0;
    std::array<std::uint8_t, 4> peer_v4_{};
    std::uint16_t peer_port_ = 0;
    std::uint16_t errno_ = 0;  // why it failed, if the kernel said so
    CloseReason reason_ = CloseReason::local_close;
    ConnectionState state_ : 4 = ConnectionState::connecting;
    ConnectionState ended_in_ : 4 = ConnectionState::connecting;  // the state before closing
    std::uint8_t peer_family_ : 3 = 0;                            // of its IpEndpoint
    Stage stage_ : 2 = Stage::connecting;
    driver::Ending ending_ : 1 = driver::Ending::orderly;
    Seat seat_ : 2 = Seat::none;
    bool reason_noted_ : 1 = false;
    bool fin_sent_ : 1 = false;
    bool opened_ : 1 = false;        // on_open was called, on_close will be
    bool imported_ : 1 = false;      // on_import was
    bool told_ : 1 = false;          // of the stop, by on_drain; or it will be:
    bool awaits_drain_ : 1 = false;  // Options::spread
    bool ends_ : 1 = false;          // it has a Farewell
    bool forced_ : 1 = false;        // cut off
};

static_assert(sizeof(ConnectionCore) == 144, "bytes of every connection, bench/memory");

}  // namespace berth::net
