// SPDX-License-Identifier: MIT
//
// Engine: many loops, their listeners, and one lifecycle.
//
//     Echo echo;
//     Engine engine(echo);
//     engine.start("tcp://:9000");  …  engine.stop();      // or berth::run(), run.hpp
//
// Lifetime:  the engine must outlive its run: the destructor stops it gracefully and waits.
//            The same object can be started again after it has stopped. The handler must
//            outlive the run.
// Threads:   any thread, except where marked. One object, one run at a time.
// See:       docs/internals/stop.md for the phases of a stop.

#pragma once

#include <berth/buffer.hpp>
#include <berth/clock.hpp>
#include <berth/connection.hpp>
#include <berth/connection_id.hpp>
#include <berth/datagram_options.hpp>
#include <berth/delivery.hpp>
#include <berth/destination.hpp>
#include <berth/dial.hpp>
#include <berth/endpoint.hpp>
#include <berth/engine_state.hpp>
#include <berth/export.hpp>
#include <berth/function.hpp>
#include <berth/handler.hpp>
#include <berth/options.hpp>
#include <berth/port.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>
#include <berth/snapshot.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

class EventLoop;

namespace engine {
class Environment;
struct EngineAccess;
}  // namespace engine

class BERTH_EXPORT Engine {
public:
    explicit Engine(EventHandler& handler, const Options& options = {});
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    // ── Lifecycle ────────────────────────────────────────────────────────────────────────────

    // Binds every address, or none: a failure closes what was opened, and says why. Calls
    // on_boot, starts the loops, returns. The engine runs on threads of its own.
    Result<void> start(std::span<const std::string> addresses);
    Result<void> start(std::string_view address);
    // Without any listener: for who only dials.
    Result<void> start();

    // The same on the calling thread: serves until a request_stop, and then reports. It watches
    // no signals; berth::run() (run.hpp) does.
    Result<StopReport> run(std::span<const std::string> addresses);

    // Asks for a graceful stop and returns at once. Any number of times, from anywhere, also
    // from a callback; the earliest deadline wins. Without one: Options::drain from now. A
    // deadline in the past resets every connection at once.
    void request_stop();
    void request_stop(Deadline deadline);

    // Waits until stopped. Fails with would_deadlock on a thread of this engine, and with
    // not_running if it was never started.
    Result<StopReport> wait();
    // request_stop and wait.
    Result<StopReport> stop();

    EngineState state() const;
    // Ready to be sent clients: false from the moment on in which a stop is asked for, before
    // anything else follows from it.
    bool is_ready() const;
    Instant now() const;

    // Pauses every listener: who connects waits in the kernel's backlog, connections live on.
    // Any number of times; a stop may begin in between. Nothing where it means nothing.
    void suspend();
    void resume();

    // Listens on one more address, like those given to start(), until close_listener or the stop.
    // Its index: the last of endpoints(). Fails as a start would, and with not_running unless the
    // engine is ready or suspended, or while another generation takes over. At most
    // kListenersMax in a run.
    Result<std::size_t> add_listener(std::string_view address);
    static constexpr std::size_t kListenersMax = 1024;
    // The same, of a udp address with options of its own in place of Options::datagrams.
    Result<std::size_t> add_listener(std::string_view address, const DatagramOptions& options);

    // Ends one listener as a stop would end all: quiesced, closed, its connections drained until
    // `deadline`. Returns at once; EventHandler::on_listener_closed follows. False: no such
    // listener, or it is closed already, or the engine is not ready.
    bool close_listener(std::size_t index, Deadline deadline);
    bool close_listener(std::size_t index);  // by Options::drain from now

    // Starts the next generation by fork and exec of `command`, which takes over as one started
    // with the same Options::handover would. Returns once it runs, or why it could not be made;
    // the handing over itself is seen in state() and in the log.
    Result<void> restart(std::span<const std::string> command);

    // What a bind of `address` would get, without starting anything.
    static Result<PortDiagnosis> diagnose(std::string_view address);

    // Numbers and states, as they are now.
    EngineSnapshot snapshot() const;

    // ── What it serves ───────────────────────────────────────────────────────────────────────

    // The real addresses, in the order given to start(), and then of those added: port 0 is
    // replaced by the port bound. Closed ones stay. From on_boot on.
    std::vector<Endpoint> endpoints() const;
    // Which driver runs and why, as one sentence. From on_boot on.
    std::string driver_description() const;
    std::size_t loop_count() const;
    EventLoop& loop(std::size_t index);  // only between on_boot and on_shutdown
    std::size_t connection_count() const;

    // ── Connections, by id ───────────────────────────────────────────────────────────────────
    // The return value says only whether the engine took the call. If it did, `done` runs
    // exactly once on the connection's loop; if not, never. Calls of one thread to one
    // connection keep their order. What a loop finds written to one stream when it comes to its
    // tasks leaves together: one system call takes up to 64 writes.

    bool post(ConnectionId id, UniqueFunction<void(Connection&)> task, Completion done = {});
    bool write(ConnectionId id, Buffer bytes, Completion done = {});
    bool write(ConnectionId id, std::string_view text, Completion done = {});
    // Runs on_traffic even if nothing has arrived; if reading is paused, when it resumes.
    bool wake(ConnectionId id, Completion done = {});
    bool close(ConnectionId id, CloseMode mode = CloseMode::after_flush, Completion done = {});

    // EventLoop::connect from any thread. True: `options.done` runs exactly once, also when the
    // engine stops first. False: the engine is not running or has no such loop; nothing follows.
    bool connect(const Destination& to, DialOptions options = {});

    // ── Datagrams ────────────────────────────────────────────────────────────────────────────
    // As EventLoop::send_to. Datagrams of one thread to one address keep their order as far as
    // the network keeps it.
    bool send_to(std::size_t listener, const Endpoint& to, Buffer bytes);

    // Any thread: a udp listener hears that multicast group from now on, or no more. True: `done`
    // gets the answer of the kernel, on the listener's loop, unless that loop ends first. False: no
    // such udp listener is open; nothing follows.
    using GroupCompletion = UniqueFunction<void(Result<void>&&)>;
    bool join_group(std::size_t listener, MulticastGroup group, GroupCompletion done = {});
    bool leave_group(std::size_t listener, MulticastGroup group, GroupCompletion done = {});

private:
    friend struct engine::EngineAccess;  // src/engine/engine_core.hpp
    class Core;
    Engine(EventHandler& handler, const Options& options,
           std::unique_ptr<engine::Environment> environment);

    std::unique_ptr<Core> core_;
};

}  // namespace berth
