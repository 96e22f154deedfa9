// SPDX-License-Identifier: MIT
//
// Listeners: the addresses of an engine: opened together or added later, given to the loops, ended
// together or one by one.
//
// Lifetime:  part of its Core; filled by open(), forgotten by the next one.
// Threads:   open, assign and release on the starting and the coordinator's thread; what is marked
//            *any thread* by atomics. Who looks from elsewhere visits Core::endpoints_gate.

#pragma once

#include "base/stable_list.hpp"
#include "driver/system.hpp"
#include "engine/inherited_socket.hpp"
#include "net/listening.hpp"

#include <berth/datagram_options.hpp>
#include <berth/endpoint.hpp>
#include <berth/engine.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::engine {

class Core;

class Listeners {
public:
    explicit Listeners(Core& core) : core_(core) {}

    // All addresses or none; inherited sockets as plan_addresses has it.
    Result<void> open(std::span<const std::string> addresses,
                      std::span<const InheritedSocket> inherited);
    // Shard k of each listener goes to loop k mod N, one with a single socket to loop i mod N.
    // Before the loops run.
    void assign();
    // Those that were added since, while they run. False: none.
    bool assign_added();
    // Removes our paths, and closes what no loop has taken; the addresses stay known. Loops that
    // were given up may still look at theirs.
    void release(bool loops_have_left);

    std::size_t size() const { return states_.size(); }
    // Those that the loops have, or had: the first of them.
    std::size_t assigned() const { return assigned_; }
    std::vector<Endpoint> endpoints() const;
    const Endpoint& endpoint(std::size_t listener) const { return states_[listener].endpoint; }
    net::Listening& listening(std::size_t listener) { return *states_[listener].listening; }
    // Do the loops that accept on it hand connections to others? Where some loop has no shard.
    bool hands_over(std::size_t listener) const { return states_[listener].hands_over; }
    // Does somebody else have it, too: the next generation, a service manager?
    bool is_shared(std::size_t listener) const { return states_[listener].is_shared; }
    // Of a udp address.
    const DatagramOptions& datagrams(std::size_t listener) const {
        return states_[listener].datagrams;
    }
    bool has_sessions(std::size_t listener) const {
        return endpoint(listener).is_udp() && datagrams(listener).sessions;
    }
    void share(std::size_t listener, bool is_shared);
    // All shards of all listeners that are open.
    std::vector<driver::Descriptor> sockets() const;

    // ── Any thread ───────────────────────────────────────────────────────────────────────────
    // Opens one more; the coordinator assigns it.
    Result<std::size_t> add_while_running(std::string_view address,
                                          const DatagramOptions& datagrams);
    // One more connection of it, if it has not `max` already.
    bool add_connection(std::size_t listener, std::size_t max);
    void remove_connection(std::size_t listener) { states_[listener].connections.fetch_sub(1); }
    std::size_t connections(std::size_t listener) const {
        return states_[listener].connections.load();
    }
    bool request_close(std::size_t listener, Deadline deadline);
    // A loop that has a socket of it: always the same one for `port`, so that order is kept.
    std::size_t loop_for(std::size_t listener, std::uint16_t port) const {
        const State& state = states_[listener];
        return (state.first_loop + port % state.loops) % state.all_loops;
    }
    // Is that loop's socket the one that hears what is sent to many?
    bool hears_many(std::size_t listener, std::size_t loop) const {
        const State& state = states_[listener];
        return state.loops == 1 || state.first_loop == loop;
    }
    // Somebody came after the stop began: counted. Is he to be refused?
    bool refuses_late(std::size_t listener);
    void count_late_datagrams(std::size_t listener, std::size_t count) {
        states_[listener].datagrams_late.fetch_add(count);
    }
    void shard_closed(std::size_t listener) { states_[listener].shards_open.fetch_sub(1); }
    bool is_closed(std::size_t listener) const { return states_[listener].shards_open.load() == 0; }

    // ── The coordinator's thread ─────────────────────────────────────────────────────────────
    // Once per request.
    std::optional<Deadline> take_close_request(std::size_t listener);
    void close_sockets(std::size_t listener);
    // Were its loops told to? Then its descriptors are theirs alone.
    bool is_closing(std::size_t listener) const { return states_[listener].is_closing; }
    void drain(std::size_t listener, Deadline deadline);
    void force(std::size_t listener);
    // Connections that are left of it; asked of the loops anew by each call.
    std::size_t count(std::size_t listener);
    void count_late(std::size_t listener, ListenerReport& into) const;
    // While its sockets are open: how a copy that somebody kept is known again.
    void note_inodes(std::size_t listener);
    std::vector<std::uint64_t> inodes(std::size_t listener) const {
        return states_[listener].inodes;
    }

private:
    struct State {
        State(net::Listening&& opened, std::size_t workers, DatagramOptions options)
            : endpoint(opened.endpoint()),
              datagrams(std::move(options)),
              listening(std::move(opened)),
              counts(workers) {}
        static constexpr std::int64_t kNotAsked = -1;
        const Endpoint endpoint;
        const DatagramOptions datagrams;
        std::optional<net::Listening> listening;  // until it is released
        std::atomic<std::int64_t> close_by{kNotAsked};
        bool hands_over = false;
        std::size_t first_loop = 0;  // with a socket of it; `loops` have one, from that one on
        std::size_t loops = 1;
        std::size_t all_loops = 1;
        bool is_shared = false;
        bool is_closing = false;
        std::atomic<std::size_t> shards_open{0};
        std::atomic<std::size_t> connections{0};  // that hold a place
        std::atomic<std::uint64_t> accepted_late{0};
        std::atomic<std::uint64_t> refused{0};
        std::atomic<std::uint64_t> datagrams_late{0};
        std::vector<std::atomic<std::size_t>> counts;  // connections, by loop
        std::vector<std::uint64_t> inodes;             // of the sockets
    };

    Result<std::size_t> add(const AddressPlan& address, bool is_shared,
                            const DatagramOptions& datagrams);
    enum class Loops : std::uint8_t { wait, run };
    void assign(std::size_t listener, Loops loops);
    std::size_t shards_of(const Endpoint& endpoint) const;
    void ask_for_count(std::size_t listener, std::size_t loop);
    net::ListenPlan plan_of(const Endpoint& endpoint, const DatagramOptions& datagrams) const;

    Core& core_;
    base::StableList<State, Engine::kListenersMax> states_;
    std::size_t assigned_ = 0;  // of states_
};

}  // namespace berth::engine
