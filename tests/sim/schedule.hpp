// SPDX-License-Identifier: MIT
//
// Schedule: everything that one seed does to the engines of its world, as an explicit list of acts.
//
// The list is made before anything runs. Each act draws from a stream of its own, so that the
// same list without some of its acts is again a schedule: what --keep and shrinking are made of.
//
// Lifetime:  values.

#pragma once

#include "driver/driver.hpp"
#include "driver/sim/kernel.hpp"

#include <berth/clock.hpp>
#include <berth/connection.hpp>
#include <berth/options.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace berth::simulation {

// ── What a handler does with a connection ────────────────────────────────────────────────────

enum class Reply : std::uint8_t {
    copy,      // echoes from where the bytes are
    take,      // echoes by take() and a moved Buffer
    some,      // echoes a portion per callback, and wakes itself for the rest
    later,     // leaves all unread, and echoes from a posted task
    on_tick,   // leaves all unread, and echoes when the loop ticks
    generate,  // answers each byte with several of its own
    swallow,   // reads and says nothing
    hold,      // never reads
};

enum class Trouble : std::uint8_t {
    none,
    fail,             // throws
    action_close,     // answers Action::close
    action_shutdown,  // answers Action::shutdown
    stop,             // asks for a stop, with a deadline that may have passed
    close_after_flush,
    close_now,
    close_reset,
    end,
    pause,  // and resumes from a posted task
};

// The callback in which there is trouble.
enum class Moment : std::uint8_t { open, traffic, end, writable, drain, close };

enum class AtEnd : std::uint8_t { close, keep, keep_and_close_later };
enum class AtDrain : std::uint8_t { close, keep, keep_and_close_later };

// An InFlight token, taken when the first bytes come.
enum class Work : std::uint8_t {
    none,
    brief,    // until a posted task releases it
    forever,  // until on_close
};

struct Manners {
    Reply reply = Reply::copy;
    std::size_t portion = 1;   // of Reply::some; how much Reply::generate adds
    std::size_t greeting = 0;  // written in on_open, only where nothing is echoed
    bool flushes = false;      // after every write
    Trouble trouble = Trouble::none;
    Moment moment = Moment::traffic;
    std::size_t after = 0;           // bytes received before the trouble in on_traffic
    bool writes_afterwards = false;  // although it has closed
    Work work = Work::none;
    AtEnd at_end = AtEnd::close;
    AtDrain at_drain = AtDrain::close;
};

// Does the answer consist of the peer's own bytes?
constexpr bool is_echo(Reply reply) { return reply <= Reply::on_tick; }

// ── What a peer does ─────────────────────────────────────────────────────────────────────────

enum class Reading : std::uint8_t { always, slow, late, never };
enum class Farewell : std::uint8_t {
    none,
    fin,
    close,
    reset,
    die,     // the kernel closes for it
    vanish,  // neither hears nor answers any more, and nobody closes
};
enum class When : std::uint8_t { connected, sent, answered, ended, after };

struct PeerPlan {
    std::size_t engine = 0;
    std::size_t address = 0;
    Manners manners;
    std::size_t bytes = 0;  // to send
    std::size_t chunk = 1;
    Duration gap{};  // between chunks
    Reading reading = Reading::always;
    std::size_t sip = 1;  // bytes of a slow read
    Duration read_gap{};  // between slow reads; before the first late one
    Farewell farewell = Farewell::none;
    When when = When::answered;
    Duration patience{};        // When::after
    bool leaves_on_end = true;  // closes when it has the server's FIN
    int receive_buffer = 0;     // 0: the kernel's
};

// ── Acts ─────────────────────────────────────────────────────────────────────────────────────

struct StartEngine {
    std::size_t engine = 0;
    std::optional<std::size_t> descriptors;  // the limit while it starts
};

struct StopEngine {
    std::size_t engine = 0;
    std::optional<Duration> deadline;  // from now; may have passed
    std::size_t mid_call = 0;
};

struct ConnectPeer {
    PeerPlan plan;
};

enum class CallKind : std::uint8_t { post, write, wake, close, loop_post };

// Engine::suspend, or resume.
struct SuspendEngine {
    std::size_t engine = 0;
    bool resumes = false;
};

struct CloseListener {
    std::size_t engine = 0;
    std::size_t address = 0;
    Duration patience{};
};

// A call from outside the loops, to the connection of a peer.
struct CallEngine {
    CallKind kind = CallKind::post;
    std::size_t peer = 0;  // the act that connected it
    std::size_t bytes = 0;
    CloseMode mode = CloseMode::after_flush;
    std::size_t times = 1;
    std::size_t mid_call = 0;  // in the middle of an iteration: at so many system calls from now
};

enum class DialTarget : std::uint8_t { own_listener, nobody, deaf };

struct Dial {
    std::size_t engine = 0;
    std::size_t loop = 0;
    DialTarget target = DialTarget::own_listener;
    Duration patience{};
    std::size_t bytes = 0;
    bool given_up = false;  // closed by its id while it is still connecting
};

// From now on the engine's process may open so many more; nothing: any number again.
struct LimitDescriptors {
    std::size_t engine = 0;
    std::optional<std::size_t> room;
};

// A stranger listens on an address of the engine, or leaves it.
struct Occupy {
    std::size_t engine = 0;
    std::size_t address = 0;
    bool leaves = false;
};

using What = std::variant<StartEngine, StopEngine, ConnectPeer, CallEngine, Dial, LimitDescriptors,
                          Occupy, SuspendEngine, CloseListener>;

struct Act {
    std::size_t index = 0;  // in the whole list
    Duration at{};          // since the beginning
    What what;
};

std::string to_string(const Act& act);

// ── The world ────────────────────────────────────────────────────────────────────────────────

struct Address {
    std::string listen;
    std::string dial;
};

enum class Boot : std::uint8_t { fine, throws, stops };

struct EnginePlan {
    Options options;
    driver::Bounds bounds;
    std::vector<Address> addresses;
    Duration tick = kNever;
    std::size_t failing_tick = 0;  // every so many; 0: none
    Boot boot = Boot::fine;
    bool fails_in_loop_start = false;
    bool fails_in_shutdown = false;
    bool is_net_admin = true;  // may its process filter TCP?
};

// Of the kernel, per TCP socket; 0: its own choice.
struct Buffers {
    std::size_t receive = 0;
    std::size_t send = 0;
};

struct Schedule {
    std::uint64_t seed = 0;
    driver::sim::Weather weather;
    Buffers buffers;
    unsigned meddling = 0;  // peers act inside the calls of others: one call in so many
    std::vector<EnginePlan> engines;
    std::vector<Act> acts;
};

// How a schedule differs from the one that its seed alone makes.
struct Variation {
    std::optional<std::vector<std::size_t>> keep;  // indexes of acts
    bool calm = false;                             // fine weather, no meddling
    unsigned loops = 0;                            // at most; 0: as the seed says
};

Schedule make_schedule(std::uint64_t seed, const Variation& variation = {});
std::string to_string(const Schedule& schedule);

}  // namespace berth::simulation
