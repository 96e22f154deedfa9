// SPDX-License-Identifier: MIT
//
// Dials: the fixture of engines that dial names: a scripted resolver, and how dials ended.

#pragma once

#include "integration/support_engine.hpp"
#include "integration/support_unanswered.hpp"
#include "support/scripted_resolver.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {

class Dials : public AnEngine {
protected:
    struct Ended {
        ConnectionId id = {};
        std::optional<Error> error = {};

        std::string text() const { return error ? error->to_string() : "connected"; }
        ErrorCode code() const { return error ? error->code() : ErrorCode::internal; }
    };

    void SetUp() override {
        AnEngine::SetUp();
        options.resolver = &names;
    }
    // The engine first: it may still ask.
    void TearDown() override { AnEngine::TearDown(); }

    void start_client() { start(std::vector<std::string>()); }

    static Destination name(const std::string& host, std::uint16_t port,
                            const std::string& scheme = "tcp") {
        return *Destination::parse(scheme + "://" + host + ":" + std::to_string(port));
    }

    // Its completion is written down.
    void dial(const Destination& to, DialOptions how = {}) {
        how.done = [this](EventLoop&, const Result<ConnectionId>& dialled) {
            const std::scoped_lock lock(mutex_);
            Ended ended;
            if (dialled) {
                ended.id = *dialled;
            } else {
                ended.error = dialled.error();
            }
            ended_.push_back(std::move(ended));
        };
        ASSERT_TRUE(engine().connect(to, std::move(how)));
    }
    std::size_t ended_count() const {
        const std::scoped_lock lock(mutex_);
        return ended_.size();
    }
    // How the `index`th to end ended, waited for.
    Ended ended(std::size_t index = 0) const {
        EXPECT_TRUE(eventually([&] { return ended_count() > index; }));
        const std::scoped_lock lock(mutex_);
        return ended_.size() > index ? ended_[index] : Ended{};
    }
    // All dials have ended, each once, and the handler knows.
    void expect_told(std::size_t opened, std::size_t failed) {
        settle();
        EXPECT_EQ(script.count("on_open"), opened);
        EXPECT_EQ(script.count("on_connect_failed"), failed);
        EXPECT_EQ(ended_count(), opened + failed);
    }
    // Nobody listens there.
    static std::uint16_t free_port() {
        const RawListener gone(loopback_endpoint());
        return gone.endpoint().port();
    }

    ScriptedResolver names;

private:
    mutable std::mutex mutex_;
    std::vector<Ended> ended_;
};

}  // namespace berth::test
