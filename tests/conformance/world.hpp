// SPDX-License-Identifier: MIT
//
// World: everything that a sentence of the driver contract is tried in.
//
// A driver over a recording sink, its System, listeners, and scripted peers on the other side.
// What differs between kernels and drivers is virtual: a simulated kernel or another driver is
// plugged in by writing these few functions and adding a row to worlds.cpp.
//
// Lifetime:  one per test; it closes what the test left open and looks for leaks.
// Threads:   the test's.

#pragma once

#include "conformance/checked_driver.hpp"
#include "conformance/recording_sink.hpp"
#include "driver/driver.hpp"
#include "driver/system.hpp"
#include "support/datagram_peer.hpp"
#include "support/eventually.hpp"
#include "support/peer.hpp"

#include <berth/function.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::conformance {

enum class PeerBuffer { usual, small };  // of the peer's kernel: how soon it refuses more

// The two ends of one established stream.
struct Pair {
    driver::Stream& stream;
    std::unique_ptr<test::Peer> peer;
};

// The same, where the one end is only watched.
struct WatchedPair {
    driver::Watched& watched;
    std::unique_ptr<test::Peer> peer;
};

class World {
public:
    virtual ~World() = default;
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    void open(const driver::Bounds& bounds);
    // Closes everything and fails the test if a descriptor is left over. Peers must be gone.
    void close();

    // Tries bounds without keeping the driver.
    driver::Outcome<void> try_open(const driver::Bounds& bounds);

    driver::Driver& driver() { return *driver_; }
    RecordingSink& sink() { return sink_; }
    virtual driver::System& system() = 0;

    // ── Setting a scene ──────────────────────────────────────────────────────────────────────
    // A bound, listening descriptor; accepting is not started.
    driver::Listener& listen();
    // Another descriptor of the same socket: who accepts here takes from the same queue.
    driver::Listener& listen_beside(const driver::Listener& listener);
    const Endpoint& endpoint_of(const driver::Listener& listener) const;
    // Listens once more on an endpoint that was given back: an errno, or 0.
    int listen_again(const Endpoint& endpoint);
    void close_descriptor(driver::Source& source);

    virtual std::unique_ptr<test::Peer> connect(const Endpoint& to, PeerBuffer buffer) = 0;
    std::unique_ptr<test::Peer> connect(const driver::Listener& to);
    virtual std::unique_ptr<test::PeerListener> peer_listener() = 0;
    // A UDP socket on loopback, bound; receiving is not started. And one of somebody else.
    driver::DatagramSocket& datagram_socket();
    virtual std::unique_ptr<test::DatagramPeer> datagram_peer() = 0;
    // While `act` runs, no descriptor is to be had: EMFILE.
    virtual void during_descriptor_famine(UniqueFunction<void()> act) = 0;
    // The command that repeats a failure, where a failure depends on more than the test's name.
    virtual std::string to_repeat() const { return {}; }

    // A stream with a fresh socket for Driver::connect.
    driver::Stream& stream_towards(const Endpoint& endpoint);
    // A stream over what was accepted.
    driver::Stream& stream_over(driver::Descriptor accepted);
    Pair pair(PeerBuffer buffer = PeerBuffer::usual);  // receiving is not started
    WatchedPair watched_pair();                        // the watch is not started
    Pair receiving_pair(PeerBuffer buffer = PeerBuffer::usual);

    // ── Letting it run ───────────────────────────────────────────────────────────────────────
    // One poll that waits a few milliseconds at most.
    void advance();
    // Advances until `holds`; prints the sink's record if it never does.
    template <class Holds>
    ::testing::AssertionResult until(Holds holds) {
        return test::eventually(holds, [this] { advance(); }, [this] { return sink_.to_string(); });
    }
    // One poll with a deadline so far away; the time it took.
    Duration poll_within(Duration most);
    // The same, and other threads have their chance to act meanwhile: where time is virtual, no
    // wait lasts long enough for them.
    virtual Duration poll_beside_threads(Duration most) { return poll_within(most); }
    // Polls that find nothing: what should not come has had its chance to.
    void advance_idly();

    // The peer sends all of it; the driver is polled while the kernel is full.
    void send_all(test::Peer& peer, std::string_view bytes);
    // All that the peer can read until it has `count` bytes or the stream ends.
    std::string read_all(test::Peer& peer, std::size_t count);

protected:
    World() = default;
    const driver::Driver& unchecked_driver() const { return driver_->tested(); }
    virtual driver::Outcome<std::unique_ptr<driver::Driver>> open_driver(
        RecordingSink& sink, const driver::Bounds& bounds) = 0;
    virtual Endpoint fresh_endpoint() = 0;  // for System::bind: port 0, or an unused name
    // Does the kernel's own memory come from operator new, so that its calls allocate?
    virtual bool kernel_allocates() const { return false; }

private:
    struct Listening {
        driver::Listener listener;
        Endpoint endpoint;
    };

    std::pair<driver::Descriptor, std::unique_ptr<test::Peer>> accepted_pair(PeerBuffer buffer);
    driver::Outcome<driver::Descriptor> bound_socket(const Endpoint& endpoint);
    void close_streams_and_listeners();
    void close_descriptors();

    Ledger ledger_;
    RecordingSink sink_{ledger_};
    std::unique_ptr<CheckedDriver> driver_;
    std::deque<Listening> listening_;
    std::deque<driver::Stream> streams_;
    std::deque<driver::DatagramSocket> datagram_sockets_;
    std::deque<driver::Watched> watched_;
    std::size_t descriptors_before_ = 0;
};

// One row per world: what the suites are parameterised by.
struct WorldKind {
    const char* name;
    std::unique_ptr<World> (*make)();
    bool has_reset;  // RST exists: it is over TCP; then there is UDP, too
    bool is_prompt;  // what can complete does so in the next poll, all of it
    // Input behind a long piece is certain to be left in the kernel. A ring is told so by the
    // socket, which those of the Unix kind do not everywhere; and one whose completions come at any
    // call may take all of it before.
    bool leaves_more = false;
};

std::vector<WorldKind> worlds();
std::vector<WorldKind> worlds_with_reset();
std::vector<WorldKind> worlds_with_datagrams();

}  // namespace berth::conformance
