// SPDX-License-Identifier: MIT
//
// JobBook: which connections of a loop have work out, and in which order it was asked for.
//
// Beside the connections and not in them: few have work out at any moment.
//
// Lifetime:  its worker's.
// Threads:   the loop's.

#pragma once

#include "engine/offload/job.hpp"
#include "engine/offload/way_back.hpp"

#include <berth/connection_id.hpp>

#include <memory>
#include <unordered_map>

namespace berth::net {
class ConnectionCore;
}

namespace berth::engine::offload {

class JobBook {
public:
    explicit JobBook(Worker& worker);
    JobBook(const JobBook&) = delete;
    JobBook& operator=(const JobBook&) = delete;
    ~JobBook();

    const std::shared_ptr<WayBack>& way() const { return way_; }

    // The connection is busy from now on.
    void add(net::ConnectionCore& connection, Job& job);
    // `job` came back: whatever can follow now follows.
    void returned(Job& job);
    // The same for a connection that found no room: it is not read, and busy, until room(). False:
    // it waits already.
    bool begin_waiting(net::ConnectionCore& connection);
    // It is read again, at the end of this iteration. False: it is gone.
    bool room(ConnectionId id);

    // The connection is gone.
    void forget(ConnectionId id);

private:
    struct Line {
        Job* first = nullptr;
        Job* last = nullptr;
        bool waits_for_room = false;

        bool is_empty() const { return first == nullptr && !waits_for_room; }
    };

    Job* take_next(ConnectionId id);
    void follow(std::unique_ptr<Job> job);
    void end_request(ConnectionId id);

    Worker& worker_;
    std::shared_ptr<WayBack> way_;
    std::unordered_map<ConnectionId, Line> lines_;
};

}  // namespace berth::engine::offload
