// SPDX-License-Identifier: MIT
//
// Calls: what was asked of engines from outside their callbacks, and how each of it ended.
//
// Engine::post, write, wake, close and EventLoop::post; also those that handlers make to put
// something off. A call that was taken ends exactly once, with a delivery that fits; one that was
// not taken never does.
//
// Lifetime:  outlives the engines.

#pragma once

#include "sim/findings.hpp"
#include "sim/links.hpp"
#include "sim/schedule.hpp"

#include <berth/engine.hpp>
#include <berth/event_loop.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <set>

namespace berth::simulation {

// Is a user's code running now? Callbacks, tasks and completions enter; none from inside another.
class Inside {
public:
    explicit Inside(Findings& findings) : findings_(findings) {}
    bool is_anybody() const { return !name_.empty(); }

    class Visit {
    public:
        Visit(Inside& inside, std::string name) : inside_(inside) {
            if (inside_.is_anybody()) {
                inside_.findings_.violated("nested-callback", name + " inside " + inside_.name_);
            }
            inside_.name_ = std::move(name);
        }
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;
        ~Visit() { inside_.name_.clear(); }

    private:
        Inside& inside_;
    };

private:
    Findings& findings_;
    std::string name_;
};

struct Call {
    CallKind kind = CallKind::post;
    std::size_t engine = 0;
    ConnectionId id;
    std::size_t bytes = 0;
    bool taken = false;
    unsigned ran = 0;  // of post: how often its task did
    unsigned ended = 0;
    std::optional<Delivery> delivery;

    bool is_open() const {
        return taken && ended == 0 && (kind != CallKind::loop_post || ran == 0);
    }
    // Until the peer has taken the bytes it is nobody's fault.
    bool may_wait() const { return kind == CallKind::write; }
};

class Calls {
public:
    Calls(Findings& findings, Inside& inside) : findings_(findings), inside_(inside) {}

    // One who asks: which engine, and whose connection.
    struct Target {
        Engine& engine;
        std::size_t number;
        ConnectionId id;
        Link* link;  // null: nobody's that we know
    };
    using Task = UniqueFunction<void(Connection&)>;
    bool post(const Target& target, Task task);
    bool write(const Target& target, std::size_t bytes);
    bool wake(const Target& target);
    bool close(const Target& target, CloseMode mode);
    bool loop_post(const Target& target, EventLoop& loop, UniqueFunction<void(EventLoop&)> task);

    const std::deque<Call>& all() const { return calls_; }
    // A listener of the engine ends before the engine does, and cuts off its connections.
    void expect_cancelling(std::size_t engine) { losing_listeners_.insert(engine); }
    // Of one engine: does anything wait that a loop could do at once?
    const Call* first_waiting(std::size_t engine) const;
    // Of one engine, once it has stopped; the number of loop posts that were dropped.
    std::size_t check_ended(std::size_t engine);

private:
    Call& begin(CallKind kind, const Target& target);
    Completion completion(Call& call, const Target& target);
    void ended(Call& call, const Target& target, Delivery delivery);
    void check_delivery(const Call& call, const Target& target);
    void check_written(const Call& call, const Target& target);

    Findings& findings_;
    Inside& inside_;
    std::deque<Call> calls_;
    std::set<std::size_t> losing_listeners_;  // engines
    mutable std::size_t first_open_ = 0;      // all before it have ended
};

std::string to_string(const Call& call);

}  // namespace berth::simulation
