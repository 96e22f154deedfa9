// SPDX-License-Identifier: MIT
//
// AnEngine: drivers, families, starting and stopping.

#include "integration/support_engine.hpp"

#include "engine/engine_core.hpp"
#include "support/record_transport.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace berth::test {
namespace {

struct NamedDriver {
    const char* name;
    DriverKind kind;
};
constexpr std::array kDrivers{NamedDriver{"epoll", DriverKind::epoll},
                              NamedDriver{"uring", DriverKind::uring}};

struct NamedFamily {
    const char* name;
    Family family;
};
constexpr std::array kFamilies{NamedFamily{"tcp4", Family::tcp4}, NamedFamily{"tcp6", Family::tcp6},
                               NamedFamily{"dual_stack", Family::dual_stack},
                               NamedFamily{"unix", Family::unix_path},
                               NamedFamily{"abstract", Family::unix_abstract}};

// The suite's drivers: a new one joins here.
std::vector<std::string> drivers() {
    const char* chosen = std::getenv("BERTH_DRIVER");
    if (chosen != nullptr) return {chosen};
    return {"epoll", "uring"};
}

// The kernel of this machine, and connections that speak records.
class RecordEnvironment final : public engine::Environment {
public:
    explicit RecordEnvironment(Duration handshake_timeout) : transports_(handshake_timeout) {}

    driver::System& system() override { return kernel_->system(); }
    Result<loop::DriverFactory> choose_driver(DriverKind wanted,
                                              const driver::Bounds& bounds) override {
        return kernel_->choose_driver(wanted, bounds);
    }
    std::string driver_description() const override { return kernel_->driver_description(); }
    std::size_t usable_cpus() const override { return kernel_->usable_cpus(); }
    transport::TransportFactory* transports() override { return &transports_; }

private:
    std::unique_ptr<Environment> kernel_ = engine::kernel_environment();
    RecordTransports transports_;
};

const NamedDriver* find_driver(const std::string& name) {
    for (const NamedDriver& driver : kDrivers) {
        if (name == driver.name) return &driver;
    }
    return nullptr;
}

}  // namespace

std::string Place::name() const {
    std::string text = driver;
    if (speech == Speech::records) text += "_record";
    for (const NamedFamily& named : kFamilies) {
        if (named.family == family) text += std::string("_") + named.name;
    }
    return text;
}

std::vector<Place> every_driver() {
    std::vector<Place> places;
    for (const std::string& driver : drivers()) {
        places.push_back({driver, Family::tcp4});
        places.push_back({driver, Family::tcp4, Speech::records});
    }
    return places;
}

std::vector<Place> every_family() {
    std::vector<Place> places;
    for (const std::string& driver : drivers()) {
        for (const NamedFamily& named : kFamilies) places.push_back({driver, named.family});
        places.push_back({driver, Family::tcp4, Speech::records});
        places.push_back({driver, Family::unix_path, Speech::records});
    }
    return places;
}

std::vector<Place> every_transport() {
    std::vector<Place> places;
    for (const std::string& driver : drivers()) {
        places.push_back({driver, Family::tcp4, Speech::records});
    }
    return places;
}

std::string name_of_place(const testing::TestParamInfo<Place>& info) { return info.param.name(); }

std::uint64_t closed_by(const StopReport& report, CloseReason reason) {
    return report.connections.closed[static_cast<std::size_t>(reason)];
}

void expect_balanced(const StopReport::Bytes& bytes) {
    EXPECT_EQ(bytes.written, bytes.acknowledged + bytes.discarded + bytes.unconfirmed);
    EXPECT_LE(bytes.acknowledged, bytes.written);
}

std::string pattern(std::size_t count) {
    std::string bytes(count, '\0');
    std::uint32_t state = 1;
    for (char& byte : bytes) {
        state = state * 1'664'525U + 1'013'904'223U;
        byte = static_cast<char>(state >> 24U);
    }
    return bytes;
}

// ── The fixture ──────────────────────────────────────────────────────────────────────────────

AnEngine::AnEngine() {
    options.loops = 1;
    options.drain = patience() / 2;
    options.linger = std::chrono::milliseconds{50};
    options.first_request_grace = Duration::zero();  // most peers of the suite never ask
    options.logger = &journal;
}

void AnEngine::SetUp() {
    const NamedDriver* driver = find_driver(GetParam().driver);
    if (driver == nullptr) GTEST_SKIP() << "no driver " << GetParam().driver << " in this build";
    options.driver = driver->kind;
    EventHandler nothing;
    const auto started = make_engine(nothing)->start(address());
    if (!started) GTEST_SKIP() << started.error().to_string();
}

void AnEngine::TearDown() {
    script.mute();
    if (!engine_ || engine_->state() == EngineState::idle) return;
    engine_->request_stop(engine_->now());
    static_cast<void>(engine_->wait());  // until then callbacks may ask for engine()
    engine_.reset();
}

void AnEngine::start(const std::string& address) { start(std::vector{address}); }

void AnEngine::start(const std::vector<std::string>& addresses) {
    if (!engine_) engine_ = make_engine(script);
    const auto started = engine_->start(addresses);
    ASSERT_TRUE(started) << started.error().to_string();
}

std::unique_ptr<Engine> AnEngine::make_engine(EventHandler& handler) const {
    if (!speaks_records()) return std::make_unique<Engine>(handler, options);
    return engine::EngineAccess::make(handler, options,
                                      std::make_unique<RecordEnvironment>(handshake_timeout));
}

StopReport AnEngine::stop() {
    auto stopped = engine_->stop();
    EXPECT_TRUE(stopped) << stopped.error().to_string();
    return stopped ? *stopped : StopReport{};
}

StopReport AnEngine::stop_within(Duration duration) {
    engine().request_stop(within(duration));
    return stop();
}

std::string AnEngine::address() const {
    switch (GetParam().family) {
        case Family::tcp4: return "tcp://127.0.0.1:0";
        case Family::tcp6: return "tcp://[::1]:0";
        case Family::dual_stack: return "tcp://:0";
        case Family::unix_path: return unix_address("socket");
        case Family::unix_abstract: return "unix:@" + dir_.path().filename().string();
    }
    return {};
}

Endpoint AnEngine::target(std::size_t listener) const {
    Endpoint endpoint = engine_->endpoints().at(listener);
    if (!endpoint.is_wildcard()) return endpoint;
    return {Scheme::tcp,
            IpEndpoint{.address = {127, 0, 0, 1}, .port = endpoint.port(), .family = 4}};
}

RawPeer AnEngine::connect_slow() const {
    return speaking(RawPeer::connect_with_small_buffer(target()));
}

RawPeer AnEngine::speaking(RawPeer peer) const {
    if (speaks_records()) peer.speak_records();
    return peer;
}

ConnectionId AnEngine::opened(std::size_t index) {
    EXPECT_TRUE(eventually([&] { return script.opened().size() > index; }));
    return script.opened().at(index);
}

CloseReason AnEngine::closed(std::size_t index) {
    EXPECT_TRUE(eventually([&] { return script.reasons().size() > index; }));
    return script.reasons().at(index);
}

std::optional<Delivery> AnEngine::delivered(const std::function<bool(Completion)>& call) {
    struct Answer {
        Gate gate;
        std::atomic<Delivery> how{};
    };
    const auto answer = std::make_shared<Answer>();
    const bool taken = call([answer](ConnectionId, Delivery how) {
        answer->how = how;
        answer->gate.open();
    });
    if (!taken || !answer->gate.pass()) return std::nullopt;
    return answer->how;
}

void AnEngine::settle() {
    for (std::size_t loop = 0; loop < engine_->loop_count(); ++loop)
        on_loop([](EventLoop&) {}, loop);
}

void AnEngine::on_loop(std::function<void(EventLoop&)> task, std::size_t loop) {
    Gate done;
    ASSERT_TRUE(engine_->loop(loop).post([&](EventLoop& here) {
        task(here);
        done.open();
    }));
    ASSERT_TRUE(done.pass());
}

}  // namespace berth::test
