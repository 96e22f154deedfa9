// SPDX-License-Identifier: MIT
//
// Generator: what may come next, and how often.

#include "differential/generator.hpp"

#include "differential/chance.hpp"
#include "differential/draft.hpp"
#include "differential/machine.hpp"
#include "differential/step.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace berth::differential {

namespace {

constexpr std::size_t kStepsMin = 10;
constexpr std::size_t kStepsMax = 40;
// Few: much happens to each. Many: much happens between them.
constexpr std::size_t kSocketsMin = 3;
constexpr std::size_t kSocketsMax = 14;

constexpr Family kStreams[] = {Family::v4, Family::v4, Family::v6, Family::local};

class Generator {
public:
    explicit Generator(std::uint64_t seed)
        : chance_(seed), sockets_max_(kSocketsMin + chance_.below(kSocketsMax - kSocketsMin + 1)) {}

    Script script();

private:
    using Make = void (Generator::*)();
    struct Choice {
        unsigned weight;
        Make make;
    };
    static const std::array<Choice, 21> kChoices;

    void step();
    bool is_crowded() const { return static_cast<std::size_t>(draft_.slots()) >= sockets_max_; }
    int open_listener_as(Family family, int backlog) {
        return draft_.open_listener(family, draft_.place_for(family), backlog);
    }

    void open();
    void open_listener();
    void open_pair();
    void open_datagrams();
    void crowd();
    void restart();
    void configure();
    void bind();
    void listen();
    void connect();
    void accept();
    void send();
    void fill();
    void receive();
    void drain();
    void send_to();
    void receive_from();
    void shut_down();
    void close();
    void ask();
    void ask_path();

    Chance chance_;
    std::size_t sockets_max_;
    Draft draft_{chance_};
};

constexpr std::array<Generator::Choice, 21> Generator::kChoices{{
    {10, &Generator::open},          {5, &Generator::open_listener}, {6, &Generator::open_pair},
    {8, &Generator::configure},      {10, &Generator::bind},         {7, &Generator::listen},
    {14, &Generator::connect},       {12, &Generator::accept},       {16, &Generator::send},
    {2, &Generator::fill},           {14, &Generator::receive},      {3, &Generator::drain},
    {4, &Generator::send_to},        {4, &Generator::receive_from},  {5, &Generator::shut_down},
    {12, &Generator::close},         {14, &Generator::ask},          {3, &Generator::ask_path},
    {3, &Generator::open_datagrams}, {4, &Generator::crowd},         {4, &Generator::restart},
}};

Script Generator::script() {
    const std::size_t length = kStepsMin + chance_.below(kStepsMax - kStepsMin + 1);
    const std::size_t beginning = chance_.below(10);
    if (beginning < 6) open_pair();
    if (beginning == 6) open_datagrams();
    while (draft_.script().size() < length) step();
    Script script = draft_.script();
    script.resize(length);
    return script;
}

void Generator::step() {
    unsigned total = 0;
    for (const auto& choice : kChoices) total += choice.weight;
    std::size_t drawn = chance_.below(total);
    for (const auto& choice : kChoices) {
        if (drawn < choice.weight) return (this->*choice.make)();
        drawn -= choice.weight;
    }
}

void Generator::open() {
    if (is_crowded()) return;
    static constexpr Family kFamilies[] = {Family::v4, Family::v4, Family::v4,
                                           Family::v6, Family::v6, Family::local};
    const Family family = chance_.one_of(kFamilies);
    const bool is_datagram = family != Family::local && chance_.percent(25);
    draft_.open(family, is_datagram ? Kind::datagram : Kind::stream);
}

void Generator::open_listener() {
    static constexpr int kBacklogs[] = {0, 1, 2, 8};
    if (is_crowded()) return;
    open_listener_as(chance_.one_of(kStreams), chance_.one_of(kBacklogs));
}

void Generator::open_pair() {
    if (is_crowded()) return;
    const Family family = chance_.one_of(kStreams);
    const int listener = open_listener_as(family, 4);
    const int client = draft_.open(family, Kind::stream);
    draft_.connect(client, listener, draft_.place_to(family, listener));
    draft_.accept(listener);
}

void Generator::open_datagrams() {
    static constexpr Family kFamilies[] = {Family::v4, Family::v4, Family::v6};
    if (is_crowded()) return;
    const Family family = chance_.one_of(kFamilies);
    const int receiver = draft_.open(family, Kind::datagram);
    draft_.bind(receiver, draft_.place_for(family));
    const int sender = draft_.open(family, Kind::datagram);
    if (chance_.percent(50)) draft_.connect(sender, receiver, draft_.place_to(family, receiver));
    draft_.add({.call = Call::send_to,
                .slot = sender,
                .value = 100,
                .place = draft_.place_to(family, receiver)});
}

// Several come before the first is accepted.
void Generator::crowd() {
    const int listener = draft_.pick_state(State::listening);
    if (listener == kNoSlot) return;
    const Family family = draft_.at(listener).family;
    if (family == Family::local && !is_local(draft_.at(listener).place.host)) return;
    for (auto left = 1 + chance_.below(3); left > 0 && !is_crowded(); --left) {
        const int client = draft_.open(family, Kind::stream);
        draft_.connect(client, listener, draft_.place_to(family, listener));
    }
}

// A server ends, with or without some of its connections, and its successor starts.
void Generator::restart() {
    const int old = draft_.pick_state(State::listening);
    if (old == kNoSlot || is_crowded()) return;
    for (int slot = 0; slot < draft_.slots(); ++slot) {
        const bool is_its = slot == old || draft_.at(slot).listener == old;
        if (is_its && draft_.at(slot).state != State::closed && chance_.percent(80))
            draft_.close(slot);
    }
    Place place = draft_.at(old).place;
    if (!is_local(place.host)) place.port_of = old;
    draft_.open_listener(draft_.at(old).family, place, 4);
}

void Generator::configure() {
    static constexpr SocketOption kOptions[] = {
        SocketOption::reuse_address, SocketOption::reuse_address, SocketOption::reuse_address,
        SocketOption::reuse_port,    SocketOption::reuse_port,    SocketOption::v6_only,
        SocketOption::v6_only,       SocketOption::linger_reset,  SocketOption::no_delay};
    static constexpr SocketOption kBuffers[] = {SocketOption::receive_buffer,
                                                SocketOption::send_buffer};
    static constexpr int kBufferSizes[] = {1, 4096, 16384, 65536};
    const int slot = draft_.pick_any();
    if (slot == kNoSlot) return;
    // Rarely: in a tight buffer little can be compared (exceptions.hpp).
    const bool is_buffer = chance_.percent(6);
    const auto option = is_buffer ? chance_.one_of(kBuffers) : chance_.one_of(kOptions);
    // TCP_NODELAY always: the simulated kernel never delays (Nagle).
    int value = option == SocketOption::no_delay || chance_.percent(80) ? 1 : 0;
    if (option == SocketOption::linger_reset) value = 0;  // more would make close wait
    if (is_buffer) value = chance_.one_of(kBufferSizes);
    draft_.add({.call = Call::set, .slot = slot, .option = option, .value = value});
}

void Generator::bind() {
    const int slot = draft_.pick_state(State::fresh);
    if (slot == kNoSlot) return;
    draft_.bind(slot, draft_.place_for(draft_.at(slot).family));
}

void Generator::listen() {
    static constexpr int kBacklogs[] = {0, 0, 1, 1, 2, 8, 128, -1};
    const int slot = draft_.pick([](const Belief& belief) {
        return belief.kind == Kind::stream && belief.state == State::bound;
    });
    if (slot == kNoSlot) return;
    draft_.listen(slot, chance_.one_of(kBacklogs));
}

void Generator::connect() {
    const int slot = draft_.pick([](const Belief& belief) {
        return belief.state == State::fresh || belief.state == State::bound;
    });
    if (slot == kNoSlot) return;
    const Belief& client = draft_.at(slot);
    const int target = draft_.pick([&](const Belief& belief) {
        const bool is_open = belief.state == State::listening ||
                             (belief.kind == Kind::datagram && belief.state == State::bound);
        return is_open && belief.kind == client.kind &&
               (belief.family == Family::local) == (client.family == Family::local);
    });
    const bool is_itself = chance_.percent(3);
    const bool is_sure = target != kNoSlot && chance_.percent(90) &&
                         (client.family != Family::local || is_local(draft_.at(target).place.host));
    Place place =
        is_sure ? draft_.place_to(client.family, target) : draft_.place_for(client.family);
    if (place.host == Host::foreign_v4) place.host = Host::loopback_v4;
    if (is_itself && !is_local(place.host)) place.port_of = slot;
    draft_.connect(slot, is_sure ? target : kNoSlot, place);
}

void Generator::accept() {
    const int slot = draft_.pick([](const Belief& belief) {
        return belief.state == State::listening && !belief.waiting.empty();
    });
    if (slot == kNoSlot) return;
    draft_.accept(slot);
}

void Generator::send() {
    static constexpr int kSizes[] = {1, 10, 100, 100, 1000, 5000, 20000, 0};
    const int slot = draft_.pick_state(State::connected);
    if (slot == kNoSlot) return;
    draft_.send({.call = Call::send, .slot = slot, .value = chance_.one_of(kSizes)});
}

void Generator::fill() {
    const int slot = draft_.pick([](const Belief& belief) {
        return belief.kind == Kind::stream && belief.state == State::connected;
    });
    if (slot == kNoSlot || draft_.at(slot).kind == Kind::datagram) return;
    draft_.send({.call = Call::fill, .slot = slot});
}

void Generator::receive() {
    static constexpr int kSizes[] = {1, 10, 100, 4096, 65536, 65536};
    const int slot = draft_.pick_reader();
    if (slot == kNoSlot) return;
    draft_.add({.call = Call::receive, .slot = slot, .value = chance_.one_of(kSizes)});
}

void Generator::drain() {
    const int slot = draft_.pick_reader();
    if (slot == kNoSlot) return;
    draft_.add({.call = Call::drain, .slot = slot});
}

void Generator::send_to() {
    static constexpr int kSizes[] = {0, 1, 100, 2000};
    const int slot =
        draft_.pick([](const Belief& belief) { return belief.kind == Kind::datagram; });
    if (slot == kNoSlot || draft_.at(slot).kind == Kind::stream) return;
    const int target = draft_.pick([](const Belief& belief) {
        return belief.kind == Kind::datagram && belief.state == State::bound;
    });
    Place place = target == kNoSlot || draft_.at(target).family == Family::local
                      ? draft_.place_for(draft_.at(slot).family)
                      : draft_.place_to(draft_.at(slot).family, target);
    if (place.host == Host::foreign_v4) place.host = Host::loopback_v4;
    draft_.add(
        {.call = Call::send_to, .slot = slot, .value = chance_.one_of(kSizes), .place = place});
}

void Generator::receive_from() {
    static constexpr int kSizes[] = {1, 100, 65536, 65536};
    const int slot =
        draft_.pick([](const Belief& belief) { return belief.kind == Kind::datagram; });
    if (slot == kNoSlot || draft_.at(slot).kind == Kind::stream) return;
    draft_.add({.call = Call::receive_from, .slot = slot, .value = chance_.one_of(kSizes)});
}

void Generator::shut_down() {
    static constexpr Shut kWays[] = {Shut::sending, Shut::sending, Shut::both, Shut::reading};
    const int slot = draft_.pick_state(State::connected);
    if (slot == kNoSlot) return;
    draft_.add({.call = Call::shutdown, .slot = slot, .what = chance_.one_of(kWays)});
}

void Generator::close() {
    const int slot = draft_.pick_any();
    if (slot == kNoSlot) return;
    draft_.close(slot);
}

void Generator::ask() {
    static constexpr Call kOfAny[] = {Call::take_error, Call::take_error, Call::local_endpoint,
                                      Call::peer_endpoint};
    static constexpr Call kOfTcp[] = {Call::take_error,     Call::local_endpoint,
                                      Call::peer_endpoint,  Call::unacknowledged,
                                      Call::unacknowledged, Call::never_sent};
    const int slot = draft_.pick_any();
    if (slot == kNoSlot) return;
    const bool is_tcp =
        draft_.at(slot).kind == Kind::stream && draft_.at(slot).family != Family::local;
    draft_.add({.call = is_tcp ? chance_.one_of(kOfTcp) : chance_.one_of(kOfAny), .slot = slot});
}

void Generator::ask_path() {
    static constexpr Call kCalls[] = {Call::inspect, Call::path_has_owner, Call::unlink};
    draft_.add({.call = chance_.one_of(kCalls), .place = draft_.path()});
}

}  // namespace

Script script_of(std::uint64_t seed) { return Generator{seed}.script(); }

}  // namespace berth::differential
