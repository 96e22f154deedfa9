// SPDX-License-Identifier: MIT
//
// Listening: an address with all its shards, opened whole or not at all.
//
// Exclusive start: the first socket binds without SO_REUSEPORT, so that a second server on the
// same address is refused; only then is the option set, and the further shards join it. A port that
// is shared on purpose has the option from the start. Or the sockets are there already, from the
// generation before or from a service manager.
//
// See:       socket(7); docs/decisions/0004-exclusive-start.md.

#pragma once

#include "driver/system.hpp"
#include "net/entrance.hpp"
#include "net/socket_settings.hpp"
#include "net/unix_path.hpp"

#include <berth/datagram_options.hpp>
#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth::net {

struct ListenPlan {
    std::size_t shards = 1;  // Unix addresses have one in any case
    int backlog = 0;
    SocketSettings settings{};                 // for who is accepted, who inherits them
    bool shares_port = false;                  // with whoever allows it too: no exclusive start
    std::optional<std::uint32_t> unix_mode{};  // of a path
    std::string device{};                      // an interface; empty: any
    DatagramOptions datagrams{};               // of udp addresses
};

// A bound and listening address.
//
// Lifetime:  owns its sockets until they are taken, and its path until released.
class Listening {
public:
    static Result<Listening> open(driver::System& system, const Endpoint& endpoint,
                                  const ListenPlan& plan);
    // Takes over sockets that are bound to `endpoint`, however many; they are closed if they
    // cannot be listened on. The plan's backlog replaces theirs.
    static Result<Listening> adopt(driver::System& system, const Endpoint& endpoint,
                                   const std::vector<driver::Descriptor>& sockets,
                                   const ListenPlan& plan);
    Listening(Listening&& other) noexcept;
    Listening& operator=(Listening&&) = delete;
    ~Listening();

    // Opens what adopted sockets lack of plan.shards; those are not taken yet. On failure the
    // address keeps what it had.
    Result<void> add_shards(const ListenPlan& plan);

    const Endpoint& endpoint() const { return endpoint_; }  // the real one: port 0 is resolved
    std::size_t shard_count() const { return sockets_.size(); }
    // The caller closes it.
    driver::Descriptor take_socket(std::size_t shard);
    // The number stays known after it was taken, for as long as its acceptor has it open.
    driver::Descriptor descriptor(std::size_t shard) const { return sockets_[shard].descriptor; }
    // By which the kernel's rows know them; while they are open.
    std::vector<std::uint64_t> inodes() const;
    // Did the sockets come from elsewhere?
    bool is_inherited() const { return is_inherited_; }

    // The queue is another's, too: it is neither barred nor emptied nor shut down, and the path
    // stays. Ends when the other is gone.
    void share(bool is_shared);
    bool is_shared() const { return entrance_->is_shared(); }
    Entrance& entrance() { return *entrance_; }

    // Removes our Unix path, if it is still ours.
    void release_path();

private:
    struct Shard {
        driver::Descriptor descriptor;
        bool is_taken = false;
    };

    Listening(driver::System& system, Endpoint endpoint)
        : system_(&system),
          endpoint_(std::move(endpoint)),
          entrance_(std::make_unique<Entrance>()) {}

    Result<void> add_shard(const ListenPlan& plan, bool joins);
    Result<void> open_shard(driver::Descriptor socket, const ListenPlan& plan, bool joins);
    Result<void> prepare_to_bind(driver::Descriptor socket, bool joins);
    Result<void> prepare_to_receive(driver::Descriptor socket, const ListenPlan& plan);
    Result<void> bind_to_device(driver::Descriptor socket, const ListenPlan& plan);
    Result<void> prepare_to_listen(driver::Descriptor socket, const ListenPlan& plan);
    Result<void> listen(driver::Descriptor socket, const ListenPlan& plan);
    Result<void> set(driver::Descriptor socket, driver::SocketOption option, int value);
    Result<void> bind(driver::Descriptor socket);
    Result<void> permit(const ListenPlan& plan);
    template <class Call>
    int attempt(Call&& call);
    Result<void> check_adopted(driver::Descriptor socket);
    bool has_path() const { return endpoint_.is_unix() && !endpoint_.is_abstract(); }
    Error failed(const char* operation, int errno_value) const;

    driver::System* system_;
    Endpoint endpoint_;
    std::vector<Shard> sockets_;
    UnixPath path_;
    std::unique_ptr<Entrance> entrance_;  // does not move: acceptors look at it
    bool is_inherited_ = false;
};

}  // namespace berth::net
