// SPDX-License-Identifier: MIT
//
// Peer: a client with a script, in a process of its own.
//
// It sends, reads and leaves as its plan says, and checks every byte that it gets.
//
// Lifetime:  the world's; the process ends when the script lets it die, or with the peer.

#pragma once

#include "driver/sim/kernel.hpp"
#include "driver/sim/process.hpp"
#include "sim/chance.hpp"
#include "sim/links.hpp"
#include "sim/schedule.hpp"

#include <berth/endpoint.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace berth::simulation {

class Peer {
public:
    struct Origin {
        const Act& act;
        const Endpoint& server;
        std::size_t run;  // of the server, when it was told to connect
    };
    Peer(driver::sim::Kernel& kernel, Findings& findings, Links& links, const Origin& origin);

    bool is_ready() const;
    void step();
    Instant next() const;

    std::size_t act() const { return act_; }
    std::size_t run() const { return run_; }
    const PeerPlan& plan() const { return plan_; }
    Link* link() const { return link_; }  // null until it has an address
    bool is_connected() const { return state_ == State::talking; }
    bool has_left() const { return state_ == State::gone; }
    bool has_vanished() const { return state_ == State::vanished; }
    // Was its handshake complete, but its connection reset before anybody had served it?
    bool was_cut_unserved() const {
        return was_connected_ && link_ != nullptr && !link_->id && end().heard_reset;
    }
    bool sent_all() const { return link_ != nullptr && end().sent[kOwn] >= plan_.bytes; }
    // Takes what has come and was not read, and closes everything.
    void end_all();

private:
    enum class State : std::uint8_t { fresh, connecting, talking, vanished, gone };

    End& end() { return link_->ends[kDialer]; }
    const End& end() const { return link_->ends[kDialer]; }
    bool may_read() const;
    bool may_send() const;
    bool may_say_farewell() const;
    void connect();
    void finish_connecting();
    void read();
    void heard_end();
    void heard_reset();
    void send();
    void say_farewell();
    void leave();
    template <class Text>
    void trace(Text&& text) const;

    driver::sim::Kernel& kernel_;
    Findings& findings_;
    Links& links_;
    std::size_t act_;
    std::size_t run_;
    const PeerPlan& plan_;
    Endpoint server_;
    Chance chance_;
    std::unique_ptr<driver::sim::Process> process_;
    driver::Descriptor socket_ = driver::Descriptor::none;
    Link* link_ = nullptr;
    State state_ = State::fresh;
    bool is_busy_ = false;  // in a call of its own, in which others may act
    bool was_connected_ = false;
    bool said_farewell_ = false;
    Instant connected_at_;
    Instant read_from_;
    Instant send_from_;
};

}  // namespace berth::simulation
