// SPDX-License-Identifier: MIT
//
// MeetingPoint: the Unix path where a generation waits for the next one, and where a starting one
// looks for who runs already.
//
// The socket is made under a name of its own, given mode 0600, made to listen and only then
// renamed into place: nobody meets a half-made one, and taking the path over from the generation
// before is one step. Only sockets are ever replaced. One berth process at a time changes a
// directory (as with Unix listeners, net/listening.hpp).
//
// Lifetime:  owns the listening socket, and the path while it still leads there.
// Threads:   one at a time.
// See:       unix(7), rename(2).

#pragma once

#include "driver/system.hpp"

#include <berth/result.hpp>

#include <string>

namespace berth::engine::handover {

class MeetingPoint {
public:
    explicit MeetingPoint(driver::System& system) : system_(system) {}
    MeetingPoint(const MeetingPoint&) = delete;
    MeetingPoint& operator=(const MeetingPoint&) = delete;
    ~MeetingPoint() { leave(); }

    // Waits at `path`. A live socket there is an error, unless it is to be taken over.
    enum class Replace : bool { stale_only, any_socket };
    Result<void> wait_at(const std::string& path, Replace replace);
    // Closes, and removes the path if it still leads here.
    void leave();
    bool is_waiting() const { return driver::is_open(socket_); }
    // Does the path still lead here?
    bool is_found() const;

    // The next one who came; EAGAIN: nobody.
    base::Outcome<driver::Descriptor> welcome();
    driver::Descriptor descriptor() const { return socket_; }

    // Connects to who waits at `path`: a descriptor, or none if nobody does.
    static Result<driver::Descriptor> look_for(driver::System& system, const std::string& path);

private:
    Result<void> check_path(Replace replace) const;
    base::Outcome<void> prepare(const std::string& name, const Endpoint& endpoint);
    Error failed(const char* operation, int errno_value) const;

    driver::System& system_;
    driver::Descriptor socket_ = driver::Descriptor::none;
    std::string path_;
    driver::PathFacts ours_;  // what we put there, to know it again
};

}  // namespace berth::engine::handover
