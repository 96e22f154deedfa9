// SPDX-License-Identifier: MIT
//
// SpeakingMessages: the fixture for Unix packets, datagrams and descriptors: what on_traffic saw,
// message by message.

#pragma once

#include "integration/support_engine.hpp"
#include "support/raw_message.hpp"

#include <berth/file_descriptor.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {

class SpeakingMessages : public AnEngine {
protected:
    std::string address_of(const std::string& scheme, const std::string& file = "socket") const {
        return scheme + ":" + dir().file(file);
    }
    void note(std::string_view text) {
        const std::lock_guard lock(mutex_);
        heard_.emplace_back(text);
    }
    // Writes down what on_traffic saw, and reads as much as the test says.
    void listen_to(std::size_t reads = Connection::kAll) {
        script.traffic = [this, reads](Connection& peer) {
            note(as_text(peer.peek()));
            peer.discard(reads);
            return Action::none;
        };
    }
    std::vector<std::string> heard() {
        const std::lock_guard lock(mutex_);
        return heard_;
    }
    bool has_heard(std::size_t count) {
        return eventually([&] { return heard().size() >= count; });
    }
    void start_without_listeners() { start(std::vector<std::string>{}); }
    // From now on the descriptor is the engine's.
    ConnectionId adopt(OwnedDescriptor socket) {
        const int number = ::dup(socket.number());
        Result<ConnectionId> id;
        on_loop([&](EventLoop& loop) { id = loop.adopt(number); });
        EXPECT_TRUE(id) << id.error().to_string();
        EXPECT_NE(::fcntl(number, F_GETFL) & O_NONBLOCK, 0);
        EXPECT_NE(::fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
        return *id;
    }
    static FileDescriptor owned(OwnedDescriptor& from) {
        OwnedDescriptor gone = std::move(from);
        return FileDescriptor(::dup(gone.number()));
    }

private:
    std::mutex mutex_;
    std::vector<std::string> heard_;
};

// Once per driver, and without a transport: that is for bytes.
inline std::vector<Place> every_plain_driver() {
    auto places = every_driver();
    std::erase_if(places, [](const Place& place) { return place.speech != Speech::plain; });
    return places;
}

}  // namespace berth::test

#define BERTH_FOR_EACH_PLAIN_DRIVER(suite) \
    INSTANTIATE_TEST_SUITE_P(On, suite, testing::ValuesIn(every_plain_driver()), name_of_place)
