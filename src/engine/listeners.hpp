// SPDX-License-Identifier: MIT
//
// Listeners: the addresses of an engine: opened together, given to the loops, ended together or
// one by one.
//
// Lifetime:  part of its Core; filled by open(), emptied by close().
// Threads:   open, assign and close on the starting and the coordinator's thread; what is marked
//            *any thread* by atomics.

#pragma once

#include "driver/system.hpp"
#include "engine/inherited_socket.hpp"
#include "net/listening.hpp"

#include <berth/endpoint.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
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
    void assign();
    // Removes our paths, and closes what no loop has taken; the addresses stay known. Loops that
    // were given up may still look at theirs.
    void release(bool loops_have_left);

    std::size_t size() const { return endpoints_.size(); }
    std::span<const Endpoint> endpoints() const { return endpoints_; }
    const Endpoint& endpoint(std::size_t listener) const { return endpoints_[listener]; }
    net::Listening& listening(std::size_t listener) { return listenings_[listener]; }
    // Do the loops that accept on it hand connections to others? Where some loop has no shard.
    bool hands_over(std::size_t listener) const { return states_[listener]->hands_over; }
    // Does somebody else have it, too: the next generation, a service manager?
    bool is_shared(std::size_t listener) const { return states_[listener]->is_shared; }
    void share(std::size_t listener, bool is_shared);
    // All shards of all listeners that are open.
    std::vector<driver::Descriptor> sockets() const;

    // ── Any thread ───────────────────────────────────────────────────────────────────────────
    bool request_close(std::size_t listener, Deadline deadline);
    // Somebody came after the stop began: counted. Is he to be refused?
    bool refuses_late(std::size_t listener);
    void shard_closed(std::size_t listener) { states_[listener]->shards_open.fetch_sub(1); }
    bool is_closed(std::size_t listener) const {
        return states_[listener]->shards_open.load() == 0;
    }

    // ── The coordinator's thread ─────────────────────────────────────────────────────────────
    // Once per request.
    std::optional<Deadline> take_close_request(std::size_t listener);
    void close_sockets(std::size_t listener);
    // Were its loops told to? Then its descriptors are theirs alone.
    bool is_closing(std::size_t listener) const { return states_[listener]->is_closing; }
    void drain(std::size_t listener, Deadline deadline);
    void force(std::size_t listener);
    // Connections that are left of it; asked of the loops anew by each call.
    std::size_t count(std::size_t listener);
    void count_late(std::size_t listener, ListenerReport& into) const;
    // While its sockets are open: how a copy that somebody kept is known again.
    void note_inodes(std::size_t listener);
    std::vector<std::uint64_t> inodes(std::size_t listener) const {
        return states_[listener]->inodes;
    }

private:
    struct State {
        explicit State(std::size_t workers) : counts(workers) {}
        static constexpr std::int64_t kNotAsked = -1;
        std::atomic<std::int64_t> close_by{kNotAsked};
        bool hands_over = false;
        bool is_shared = false;
        bool is_closing = false;
        std::atomic<std::size_t> shards_open{0};
        std::atomic<std::uint64_t> accepted_late{0};
        std::atomic<std::uint64_t> refused{0};
        std::vector<std::atomic<std::size_t>> counts;  // connections, by loop
        std::vector<std::uint64_t> inodes;             // of the sockets
    };

    Result<void> add(const AddressPlan& address);
    std::size_t shards_of(const Endpoint& endpoint) const;
    void ask_for_count(std::size_t listener, std::size_t loop);
    net::ListenPlan plan_of(const Endpoint& endpoint) const;

    Core& core_;
    std::vector<net::Listening> listenings_;
    std::vector<Endpoint> endpoints_;
    std::vector<std::shared_ptr<State>> states_;
};

}  // namespace berth::engine
