// SPDX-License-Identifier: MIT
//
// Schedule: from a seed to a world, its weather and its acts.

#include "sim/schedule.hpp"

#include "sim/chance.hpp"

#include <berth/endpoint.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace berth::simulation {

namespace {

using namespace std::chrono_literals;

// The streams of a seed. Acts have those from kActs on.
enum Stream : std::uint64_t {
    kWorld = 1,
    kWeather = 2,
    kBuffers = 3,
    kEngines = 10,
    kTimes = 50,
    kActs = 100,
    kLimits = 4000
};

constexpr unsigned kFirstPort = 7000;
constexpr Duration kActsWithin = 300ms;

// ── Engines ──────────────────────────────────────────────────────────────────────────────────

Options make_options(Chance& chance) {
    Options options;
    options.loops = static_cast<unsigned>(chance.between(1, 3));
    options.balance = chance.pick(
        {Balance::sharded, Balance::round_robin, Balance::least_connections, Balance::source_hash});
    options.backlog = chance.pick({1, 4, 128, 128});
    options.connections_max = chance.pick<std::size_t>({0, 0, 0, 2, 5});
    options.output_max = chance.pick<std::size_t>({16U << 20U, 16U << 20U, 256U << 10U, 20000});
    options.output_high =
        std::min(options.output_max, chance.pick<std::size_t>({1000, 16000, 1U << 20U}));
    options.output_low = options.output_high / chance.pick<std::size_t>({1, 2, 4});
    options.input_max = chance.pick<std::size_t>({16U << 20U, 16U << 20U, 64U << 10U, 3000});
    options.read_budget = chance.pick<std::size_t>({256U << 10U, 4096, 512});
    options.idle_timeout = chance.pick<Duration>({0s, 0s, 0s, 30ms, 200ms});
    options.linger = chance.pick<Duration>({1s, 1s, 10ms, 0s});
    options.drain = chance.pick<Duration>({30s, 1s, 1s, 20ms, 1ms});
    options.listener_connections_max = chance.pick<std::size_t>({0, 0, 0, 0, 3});
    options.address_connections_max = chance.pick<std::size_t>({0, 0, 0, 0, 4});
    options.accept_rate_max = chance.pick<std::size_t>({0, 0, 0, 0, 50});
    return options;
}

// Mostly as they are by default: whoever waits longer is seen less.
void make_stop_options(Chance& chance, Options& options) {
    options.lame_duck = chance.pick<std::optional<Duration>>({{}, {}, {}, 5ms, 40ms});
    options.quiesce_max = chance.pick<Duration>({250ms, 250ms, 3ms, 0s});
    options.spread = chance.pick<Duration>({0s, 0s, 10ms, 200ms});
    options.first_request_grace = chance.pick<Duration>({1s, 1s, 20ms, 0s});
    options.late_accept = chance.pick({LateAccept::serve, LateAccept::serve, LateAccept::refuse});
    options.send_rate_min = chance.pick<std::size_t>({0, 0, 0, 10'000, 10'000'000});
    options.linger_bytes_max = chance.pick<std::size_t>({16U << 20U, 16U << 20U, 20'000, 0});
    options.not_sent_max = chance.pick<std::size_t>({256U << 10U, 256U << 10U, 4096, 0});
    options.verify = !chance.one_in(8);
}

void make_limits(Chance& chance, Options& options) {
    options.read_timeout = chance.pick<Duration>({0s, 0s, 0s, 0s, 40ms, 150ms});
    options.write_stall_timeout = chance.pick<Duration>({30s, 30s, 30s, 0s, 30ms, 100ms});
    options.lifetime_max = chance.pick<Duration>({0s, 0s, 0s, 0s, 60ms, 250ms});
    options.keepalive_idle = chance.pick<Duration>({0s, 0s, 1s});
}

// As addresses print themselves, so that equal ones are equal texts.
Address address_of(const std::string& listen, const std::string& dial) {
    return {Endpoint::parse(listen)->to_string(), Endpoint::parse(dial)->to_string()};
}

Address make_address(Chance& chance, std::size_t engine, std::size_t address) {
    const std::string port = std::to_string(kFirstPort + 10 * engine + address);
    const std::string name = "engine" + std::to_string(engine) + std::to_string(address);
    switch (chance.below(7)) {
        case 0: return address_of("tcp://[::1]:" + port, "tcp://[::1]:" + port);
        case 1: return address_of("tcp://:" + port, "tcp://127.0.0.1:" + port);
        case 2: return address_of("unix:/run/" + name, "unix:/run/" + name);
        case 3: return address_of("unix:@" + name, "unix:@" + name);
        default: return address_of("tcp://127.0.0.1:" + port, "tcp://127.0.0.1:" + port);
    }
}

EnginePlan make_engine(std::uint64_t seed, std::size_t engine) {
    Chance chance(seed, kEngines + engine);
    EnginePlan plan;
    plan.options = make_options(chance);
    plan.bounds.receive_bytes = chance.pick<std::size_t>({64U << 10U, 4096, 300});
    plan.bounds.accept_budget = chance.pick<std::size_t>({64, 2, 1});
    plan.bounds.events_max = chance.pick<std::size_t>({512, 512, 3, 1});
    const std::size_t addresses = chance.pick<std::size_t>({1, 1, 2, 3});
    for (std::size_t i = 0; i < addresses; ++i) {
        plan.addresses.push_back(make_address(chance, engine, i));
    }
    plan.tick = chance.pick<Duration>({kNever, kNever, 10ms, 25ms});
    plan.failing_tick = chance.pick<std::size_t>({0, 0, 3});
    plan.boot = chance.pick({Boot::fine, Boot::fine, Boot::fine, Boot::fine, Boot::fine, Boot::fine,
                             Boot::fine, Boot::fine, Boot::throws, Boot::stops});
    plan.fails_in_loop_start = chance.one_in(8);
    plan.fails_in_shutdown = chance.one_in(8);
    plan.is_net_admin = chance.one_in(2);
    make_stop_options(chance, plan.options);
    Chance limits(seed, kLimits + engine);
    make_limits(limits, plan.options);
    return plan;
}

std::vector<EnginePlan> make_engines(std::uint64_t seed) {
    Chance chance(seed, kWorld);
    std::vector<EnginePlan> engines{make_engine(seed, 0)};
    if (!chance.one_in(4)) return engines;
    engines.push_back(make_engine(seed, 1));
    if (chance.one_in(2)) engines[1].addresses = engines[0].addresses;
    return engines;
}

// ── Weather ──────────────────────────────────────────────────────────────────────────────────

driver::sim::Weather make_weather(std::uint64_t seed) {
    Chance chance(seed, kWeather);
    driver::sim::Weather weather;
    if (chance.one_in(4)) return weather;
    weather.travel_max = chance.pick<Duration>({0s, 100us, 5ms});
    weather.call_max = chance.pick<Duration>({0s, 0s, 20us});
    weather.partial_send = chance.pick({0U, 0U, 3U});
    weather.partial_receive = chance.pick({0U, 0U, 3U});
    weather.refused_send = chance.pick({0U, 0U, 4U});
    weather.aborted_accept = chance.pick({0U, 0U, 0U, 10U});
    weather.short_of_memory = chance.pick({0U, 0U, 0U, 10U});
    weather.late_completion = chance.pick({0U, 0U, 3U});
    weather.cut_short_poll = chance.pick({0U, 0U, 3U});
    return weather;
}

Buffers make_buffers(std::uint64_t seed) {
    Chance chance(seed, kBuffers);
    return chance.pick<Buffers>({{}, {}, {2048, 4096}, {16384, 4096}});
}

// ── Peers ────────────────────────────────────────────────────────────────────────────────────

void make_trouble(Chance& chance, Manners& manners) {
    manners.trouble = chance.pick(
        {Trouble::fail, Trouble::fail, Trouble::action_close, Trouble::action_shutdown,
         Trouble::stop, Trouble::close_after_flush, Trouble::close_now, Trouble::close_reset,
         Trouble::end, Trouble::end, Trouble::pause, Trouble::pause});
    manners.moment = chance.pick({Moment::open, Moment::traffic, Moment::traffic, Moment::traffic,
                                  Moment::end, Moment::writable, Moment::drain, Moment::close});
    manners.after = chance.pick<std::size_t>({0, 1, 700, 5000});
    manners.writes_afterwards = chance.one_in(3);
}

Manners make_manners(Chance& chance) {
    Manners manners;
    manners.reply = chance.pick({Reply::copy, Reply::copy, Reply::take, Reply::some, Reply::later,
                                 Reply::on_tick, Reply::generate, Reply::swallow, Reply::hold});
    manners.portion = chance.pick<std::size_t>({1, 10, 1000});
    if (manners.reply == Reply::some) manners.portion = chance.pick<std::size_t>({100, 1000});
    if (!is_echo(manners.reply)) {
        manners.greeting = chance.pick<std::size_t>({0, 1, 3000, 300000});
    }
    manners.flushes = chance.one_in(6);
    if (chance.one_in(3)) make_trouble(chance, manners);
    manners.work = chance.pick({Work::none, Work::none, Work::none, Work::none, Work::none,
                                Work::brief, Work::brief, Work::forever});
    manners.at_end = chance.pick(
        {AtEnd::close, AtEnd::close, AtEnd::close, AtEnd::keep, AtEnd::keep_and_close_later});
    manners.at_drain = chance.pick({AtDrain::close, AtDrain::close, AtDrain::close, AtDrain::keep,
                                    AtDrain::keep_and_close_later});
    return manners;
}

PeerPlan make_peer(Chance& chance, const std::vector<EnginePlan>& engines) {
    PeerPlan plan;
    plan.engine = chance.below(engines.size());
    plan.address = chance.below(engines[plan.engine].addresses.size());
    plan.manners = make_manners(chance);
    plan.bytes = chance.pick<std::size_t>({0, 1, 300, 300, 5000, 5000, 30000, 30000, 300000});
    plan.chunk = chance.pick<std::size_t>({100, 1000, 8000, 100000});
    if (plan.bytes > 30000) plan.chunk = 100000;
    plan.gap = chance.pick<Duration>({0s, 0s, 100us, 3ms});
    plan.reading = chance.pick({Reading::always, Reading::always, Reading::always, Reading::always,
                                Reading::slow, Reading::late, Reading::never});
    plan.sip = chance.pick<std::size_t>({100, 2000, 20000});
    plan.read_gap = chance.pick<Duration>({100us, 2ms, 50ms});
    plan.farewell =
        chance.pick({Farewell::none, Farewell::none, Farewell::fin, Farewell::fin, Farewell::close,
                     Farewell::reset, Farewell::die, Farewell::vanish});
    plan.when = chance.pick({When::connected, When::sent, When::answered, When::answered,
                             When::ended, When::after, When::after});
    plan.patience = chance.duration(100ms) + 1ns;
    plan.leaves_on_end = !chance.one_in(5);
    plan.receive_buffer = chance.pick({0, 0, 0, 4096});
    return plan;
}

// One whom nobody has a reason to cut off.
PeerPlan make_civil_peer(Chance& chance) {
    PeerPlan plan;
    plan.manners.reply = chance.pick({Reply::copy, Reply::take});
    plan.manners.work = chance.pick({Work::none, Work::none, Work::brief});
    plan.bytes = chance.pick<std::size_t>({1, 300, 5000});
    plan.chunk = 1000;
    plan.farewell = chance.pick({Farewell::none, Farewell::fin, Farewell::close});
    plan.when = When::answered;
    return plan;
}

// ── Acts ─────────────────────────────────────────────────────────────────────────────────────

class ActMaker {
public:
    ActMaker(std::uint64_t seed, const std::vector<EnginePlan>& engines)
        : seed_(seed), engines_(engines), times_(seed, kTimes) {}

    std::vector<Act> make() {
        for (std::size_t engine = 0; engine < engines_.size(); ++engine) start(engine);
        const std::size_t count = times_.pick<std::size_t>({3, 6, 10, 16, 24});
        for (std::size_t i = 0; i < count; ++i) connect_or_not(i);
        std::ranges::sort(acts_, {}, [](const Act& act) { return std::pair(act.at, act.index); });
        std::vector<std::size_t> places(acts_.size());
        for (std::size_t i = 0; i < acts_.size(); ++i) places[acts_[i].index] = i;
        for (std::size_t i = 0; i < acts_.size(); ++i) {
            acts_[i].index = i;
            if (auto* call = std::get_if<CallEngine>(&acts_[i].what)) {
                call->peer = places[call->peer];
            }
        }
        return std::move(acts_);
    }

private:
    void add(Duration at, What what) {
        acts_.push_back({.index = acts_.size(), .at = at, .what = std::move(what)});
    }

    void start(std::size_t engine) {
        Chance chance(seed_, kActs + engine);
        StartEngine act{.engine = engine, .descriptors = {}};
        if (chance.one_in(10)) act.descriptors = chance.below(12);
        add(engine == 0 ? Duration{} : chance.duration(20ms), act);
    }

    // Many acts share an instant: what happens together is where order matters.
    Duration when() {
        const Duration at = 1ms + times_.duration(kActsWithin);
        return times_.one_in(2) ? at : std::chrono::floor<std::chrono::milliseconds>(at / 30) * 30;
    }

    void connect_or_not(std::size_t number) {
        Chance chance(seed_, kActs + 10 + number);
        const Duration at = when();
        if (connects_.empty() || !chance.one_in(2)) {
            connects_.push_back(acts_.size());
            return add(at, ConnectPeer{make_peer(chance, engines_)});
        }
        add_other(chance, at);
    }

    void add_other(Chance& chance, Duration at) {
        const std::size_t engine = chance.below(engines_.size());
        switch (chance.below(15)) {
            case 0: return stop_in_a_rush(chance, engine, at);
            case 1: return add(at, StartEngine{.engine = engine, .descriptors = {}});
            case 2: return add(at, dial(chance, engine));
            case 3: return limit(chance, engine, at);
            case 4: return occupy(chance, engine, at);
            case 5:
            case 6: return suspend(chance, engine, at);
            case 7: return add(at, close_listener(chance, engine));
            default: return add(at, call(chance));
        }
    }

    void suspend(Chance& chance, std::size_t engine, Duration at) {
        add(at, SuspendEngine{.engine = engine, .resumes = false});
        add(at + chance.duration(60ms), SuspendEngine{.engine = engine, .resumes = true});
    }

    // Some connect just before a stop, some in the very moment, some just after it.
    void stop_in_a_rush(Chance& chance, std::size_t engine, Duration at) {
        add(at, stop(chance, engine));
        for (std::size_t left = chance.pick<std::size_t>({0, 3, 12}); left > 0; --left) {
            connects_.push_back(acts_.size());
            PeerPlan plan = make_civil_peer(chance);
            plan.engine = engine;
            plan.address = chance.below(engines_[engine].addresses.size());
            const Duration off = chance.duration(5ms);
            add(std::max(0ns, at + chance.pick<Duration>({0ns, 0ns, -off, off})),
                ConnectPeer{plan});
        }
    }

    CloseListener close_listener(Chance& chance, std::size_t engine) const {
        return {.engine = engine,
                .address = chance.below(engines_[engine].addresses.size()),
                .patience = chance.pick<Duration>({-1ms, 5ms, 100ms, 1s})};
    }

    static StopEngine stop(Chance& chance, std::size_t engine) {
        return {.engine = engine,
                .deadline = chance.pick<std::optional<Duration>>({{}, {}, -1ms, 0ms, 5ms, 100ms}),
                .mid_call = chance.one_in(2) ? chance.between(1, 30) : 0};
    }

    CallEngine call(Chance& chance) {
        return {.kind = chance.pick({CallKind::post, CallKind::write, CallKind::write,
                                     CallKind::wake, CallKind::close, CallKind::loop_post}),
                .peer = connects_[chance.below(connects_.size())],
                .bytes = chance.pick<std::size_t>({0, 1, 500, 9000, 100000}),
                .mode = chance.pick({CloseMode::after_flush, CloseMode::now, CloseMode::reset}),
                .times = chance.pick<std::size_t>({1, 1, 1, 4}),
                .mid_call = chance.one_in(2) ? chance.between(1, 30) : 0};
    }

    static Dial dial(Chance& chance, std::size_t engine) {
        return {.engine = engine,
                .loop = chance.below(3),
                .target = chance.pick({DialTarget::own_listener, DialTarget::own_listener,
                                       DialTarget::nobody, DialTarget::deaf}),
                .patience = chance.pick<Duration>({5ms, 50ms, kNever}),
                .bytes = chance.pick<std::size_t>({0, 100, 5000}),
                .given_up = chance.one_in(4)};
    }

    void limit(Chance& chance, std::size_t engine, Duration at) {
        add(at, LimitDescriptors{.engine = engine, .room = chance.below(3)});
        add(at + chance.duration(100ms), LimitDescriptors{.engine = engine, .room = {}});
    }

    void occupy(Chance& chance, std::size_t engine, Duration at) {
        const std::size_t address = chance.below(engines_[engine].addresses.size());
        add(at, Occupy{.engine = engine, .address = address, .leaves = false});
        add(at + chance.duration(200ms),
            Occupy{.engine = engine, .address = address, .leaves = true});
        if (chance.one_in(2)) add(at + 1ms, StartEngine{.engine = engine, .descriptors = {}});
    }

    std::uint64_t seed_;
    const std::vector<EnginePlan>& engines_;
    Chance times_;
    std::vector<Act> acts_;
    std::vector<std::size_t> connects_;
};

void vary(Schedule& schedule, const Variation& variation) {
    if (variation.keep) {
        std::erase_if(schedule.acts, [&](const Act& act) {
            return std::ranges::find(*variation.keep, act.index) == variation.keep->end();
        });
    }
    if (variation.calm) {
        schedule.weather = {};
        schedule.meddling = 0;
    }
    if (variation.loops == 0) return;
    for (EnginePlan& engine : schedule.engines) {
        engine.options.loops = std::min(engine.options.loops, variation.loops);
    }
}

}  // namespace

Schedule make_schedule(std::uint64_t seed, const Variation& variation) {
    Schedule schedule{.seed = seed,
                      .weather = make_weather(seed),
                      .buffers = make_buffers(seed),
                      .meddling = Chance(seed, kWorld + 1000).pick({0U, 20U, 100U}),
                      .engines = make_engines(seed),
                      .acts = {}};
    schedule.acts = ActMaker(seed, schedule.engines).make();
    vary(schedule, variation);
    return schedule;
}

}  // namespace berth::simulation
