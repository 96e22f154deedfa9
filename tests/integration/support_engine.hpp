// SPDX-License-Identifier: MIT
//
// AnEngine: the fixture of the integration suite: an engine under test, once per driver and
// transport, and raw peers on the other side.
//
// BERTH_DRIVER=epoll|uring|sim in the environment chooses the driver; one that this machine or
// build refuses is skipped with the reason. Peers made by the fixture speak what the engine
// speaks: bytes as they are, or in records (record_transport.hpp).

#pragma once

#include "integration/support_script.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/raw_socket.hpp"
#include "support/temp_dir.hpp"

#include <berth/engine.hpp>
#include <berth/event_loop.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

// What a failed expectation prints.
namespace berth {

inline void PrintTo(CloseReason value, std::ostream* out) { *out << to_string(value); }
inline void PrintTo(StopOutcome value, std::ostream* out) { *out << to_string(value); }
inline void PrintTo(EngineState value, std::ostream* out) { *out << to_string(value); }
inline void PrintTo(ErrorCode value, std::ostream* out) { *out << to_string(value); }

}  // namespace berth

namespace berth::test {

enum class Family { tcp4, tcp6, dual_stack, unix_path, unix_abstract };

enum class Speech { plain, records };

struct Place {
    std::string driver;
    Family family = Family::tcp4;
    Speech speech = Speech::plain;

    std::string name() const;
    friend void PrintTo(const Place& place, std::ostream* out) { *out << place.name(); }
};

// One place per driver and transport; per driver and address family, and a transport on some; per
// driver, with a transport.
std::vector<Place> every_driver();
std::vector<Place> every_family();
std::vector<Place> every_transport();

class AnEngine : public testing::TestWithParam<Place> {
protected:
    AnEngine();
    void SetUp() override;
    // Whatever a test did, its engine can still be stopped, and gives everything back.
    void TearDown() override;

    Script script;
    Journal journal;
    Options options;  // change before start()
    Duration handshake_timeout = patience();

    void start() { start(address()); }
    void start(const std::string& address);
    void start(const std::vector<std::string>& addresses);
    Engine& engine() { return *engine_; }
    StopReport stop();  // with the deadline of the options
    StopReport stop_within(Duration duration);

    std::string address() const;  // to listen on, of the family of this test
    std::string unix_address(const std::string& file) const { return "unix:" + dir_.file(file); }
    const TempDir& dir() const { return dir_; }
    bool is_unix() const { return GetParam().family >= Family::unix_path; }
    bool speaks_records() const { return GetParam().speech == Speech::records; }

    // Another engine of the same driver and transport.
    std::unique_ptr<Engine> make_engine(EventHandler& handler) const;

    // Where peers of this family connect to.
    Endpoint target(std::size_t listener = 0) const;
    RawPeer connect(std::size_t listener = 0) const { return connect_to(target(listener)); }
    RawPeer connect_to(const Endpoint& to) const { return speaking(RawPeer::connect(to)); }
    // With the smallest receive buffer the kernel gives: soon full.
    RawPeer connect_slow() const;
    RawPeer accept(RawListener& server) const { return speaking(server.accept()); }
    // The id of the connection opened `index`th, waited for.
    ConnectionId opened(std::size_t index = 0);
    // The reason of the connection closed `index`th, waited for.
    CloseReason closed(std::size_t index = 0);

    // Hands a completion to `call`, and waits for it: none if it was not taken or never ran.
    static std::optional<Delivery> delivered(const std::function<bool(Completion)>& call);

    Deadline within(Duration duration) { return engine().now() + duration; }
    // What the loops have done so far is done, and seen by this thread. A test whose lambdas write
    // to its locals calls it before it looks at them, and before it ends.
    void settle();
    // Runs `task` on a loop and waits until it has.
    void on_loop(std::function<void(EventLoop&)> task, std::size_t loop = 0);

private:
    RawPeer speaking(RawPeer peer) const;

    TempDir dir_;
    std::unique_ptr<Engine> engine_;
};

std::string name_of_place(const testing::TestParamInfo<Place>& info);

// ── What a report says ───────────────────────────────────────────────────────────────────────

std::uint64_t closed_by(const StopReport& report, CloseReason reason);
// Written = acknowledged + discarded + unconfirmed.
void expect_balanced(const StopReport::Bytes& bytes);

// `count` bytes that repeat only after a long time, so that a hole or a swap shows.
std::string pattern(std::size_t count);

}  // namespace berth::test

#define BERTH_FOR_EACH_DRIVER(suite) \
    INSTANTIATE_TEST_SUITE_P(On, suite, testing::ValuesIn(every_driver()), name_of_place)
#define BERTH_FOR_EACH_FAMILY(suite) \
    INSTANTIATE_TEST_SUITE_P(On, suite, testing::ValuesIn(every_family()), name_of_place)
#define BERTH_FOR_EACH_TRANSPORT(suite) \
    INSTANTIATE_TEST_SUITE_P(On, suite, testing::ValuesIn(every_transport()), name_of_place)
