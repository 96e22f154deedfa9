// SPDX-License-Identifier: MIT
//
// Comparison: both players at one step, and what may be said of their answers.

#include "differential/comparison.hpp"

#include "differential/exceptions.hpp"
#include "differential/machine.hpp"
#include "differential/player.hpp"
#include "differential/real_machine.hpp"
#include "differential/simulated_machine.hpp"
#include "differential/step.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace berth::differential {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{20};
// A delayed ACK waits for up to TCP_DELACK_MAX, and TCP_QUICKACK hurries it only while nothing is
// unread (net/ipv4/tcp.c, __tcp_cleanup_rbuf).
constexpr milliseconds kPatienceForAck{250};
constexpr int kRuns = 3;

// Then waiting would only cost time.
bool is_accepted(const Situation& situation) {
    const Exception* exception = exception_for(situation);
    return exception != nullptr && exception->afterwards == Afterwards::goes_on;
}

class Comparison {
public:
    explicit Comparison(const Site& site)
        : simulated_machine_(site.seed),
          real_(real_machine_, site.directory),
          simulated_(simulated_machine_, site.directory) {
        verdict_.exceptions_used.resize(exceptions().size());
    }

    Verdict play(const Script& script);

private:
    void play(const Step& step);
    void compare_answers(const Step& step, Answer real, const Answer& simulated);
    void compare_bytes(const Step& step);
    void compare_readiness(const Step& step);
    template <class Agree>
    bool eventually(Agree agree, milliseconds patience = kPatience);
    void differ(const Situation& situation, std::string about, std::string real,
                std::string simulated);
    void notice_hash(const Step& step);
    void note(const Step& step, const Answer& real, const Answer& simulated);
    bool is_open(int slot) const { return real_.is_open(slot) && simulated_.is_open(slot); }

    RealMachine real_machine_;
    SimulatedMachine simulated_machine_;
    Player real_;
    Player simulated_;
    Verdict verdict_;
    std::span<const Step> history_;
    std::array<bool, Player::kSlotsMax> shares_port_{};  // has SO_REUSEPORT
    bool is_tight_ = false;
    bool was_hashed_ = false;
    bool ended_ = false;
};

Verdict Comparison::play(const Script& script) {
    for (std::size_t i = 0; i < script.size() && !ended_; ++i) {
        const Step& step = script[i];
        if (!real_.can_play(step) || !simulated_.can_play(step)) continue;
        history_ = std::span{script}.first(i + 1);
        play(step);
    }
    verdict_.port_repeated = real_.port_repeated() || simulated_.port_repeated();
    return std::move(verdict_);
}

void Comparison::play(const Step& step) {
    ++verdict_.operations;
    notice_hash(step);
    const Answer real = real_.play(step);
    const Answer simulated = simulated_.play(step);
    note(step, real, simulated);
    compare_answers(step, real, simulated);
    if (!ended_) compare_bytes(step);
    if (!ended_) compare_readiness(step);
}

template <class Agree>
bool Comparison::eventually(Agree agree, milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!agree()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        real_.settle();
    }
    return true;
}

void Comparison::compare_answers(const Step& step, Answer real, const Answer& simulated) {
    const auto situation = [&] {
        return Situation{.step = step,
                         .history = history_,
                         .real = real,
                         .simulated = simulated,
                         .is_tight = is_tight_,
                         .is_connected = real_.is_connected(step.slot),
                         .was_hashed = was_hashed_};
    };
    const auto asked_again = [&] {
        real = real_.play(step);
        return real == simulated;
    };
    if (real == simulated) return;
    const bool is_about_acks = step.call == Call::unacknowledged || step.call == Call::never_sent;
    if (is_question(step.call) && !is_accepted(situation()) &&
        eventually(asked_again, is_about_acks ? kPatienceForAck : kPatience)) {
        return;
    }
    differ(situation(), name_of(step.call), text_of(real), text_of(simulated));
}

// What was received is the beginning of what the other received, and the same where no buffer
// was ever full.
void Comparison::compare_bytes(const Step& step) {
    if (step.call < Call::receive || step.call > Call::receive_from) return;
    const std::string& real = real_.received(step.slot);
    const std::string& simulated = simulated_.received(step.slot);
    const std::size_t both = std::min(real.size(), simulated.size());
    if (real.compare(0, both, simulated, 0, both) == 0) return;
    differ({.step = step, .history = history_, .was_hashed = was_hashed_},
           "the bytes of " + name_of(step.call), std::to_string(real.size()), "others");
}

void Comparison::compare_readiness(const Step& step) {
    for (int slot = 0; slot < static_cast<int>(Player::kSlotsMax) && !ended_; ++slot) {
        if (!is_open(slot)) continue;
        Readiness real;
        const Readiness simulated = simulated_.readiness(slot);
        const auto agree = [&] { return (real = real_.readiness(slot)) == simulated; };
        if (agree()) continue;
        Situation situation{.step = step,
                            .history = history_,
                            .is_answer = false,
                            .real_readiness = real,
                            .simulated_readiness = simulated,
                            .is_tight = is_tight_,
                            .was_hashed = was_hashed_};
        if (!is_accepted(situation) && eventually(agree)) continue;
        situation.real_readiness = real;
        differ(situation, "readiness after " + name_of(step.call),
               name_of_slot(slot) + " " + text_of(real), text_of(simulated));
    }
}

void Comparison::differ(const Situation& situation, std::string about, std::string real,
                        std::string simulated) {
    if (const Exception* exception = exception_for(situation)) {
        ++verdict_.exceptions_used[static_cast<std::size_t>(exception - exceptions().data())];
        ended_ = exception->afterwards == Afterwards::ends_sequence;
        return;
    }
    ended_ = true;
    if (!situation.is_answer) {
        verdict_.lines.back().real += ", then " + real;
        verdict_.lines.back().simulated += ", then " + simulated;
    }
    verdict_.difference = Difference{
        .about = std::move(about), .real = std::move(real), .simulated = std::move(simulated)};
}

// Several open sockets with SO_REUSEPORT at one port: a hash chooses.
void Comparison::notice_hash(const Step& step) {
    if (step.call == Call::set && step.option == SocketOption::reuse_port && step.value != 0) {
        shares_port_[static_cast<std::size_t>(step.slot)] = true;
    }
    if (step.call != Call::connect && step.call != Call::send_to) return;
    if (step.place.port_of == kNoSlot) return;
    const auto port = real_.port(step.place.port_of);
    int sharers = 0;
    for (int slot = 0; slot < static_cast<int>(Player::kSlotsMax); ++slot) {
        if (shares_port_[static_cast<std::size_t>(slot)] && is_open(slot)) {
            sharers += real_.port(slot) == port ? 1 : 0;
        }
    }
    was_hashed_ = was_hashed_ || (port != 0 && sharers > 1);
}

void Comparison::note(const Step& step, const Answer& real, const Answer& simulated) {
    const bool is_sending = step.call == Call::send || step.call == Call::fill;
    const auto is_short = [&](const Answer& answer) {
        return answer.error == EAGAIN ||
               (answer.error == 0 && answer.count < static_cast<std::size_t>(step.value));
    };
    const bool is_narrowing =
        step.call == Call::set &&
        (step.option == SocketOption::receive_buffer || step.option == SocketOption::send_buffer);
    is_tight_ =
        is_tight_ || is_narrowing || (is_sending && (is_short(real) || is_short(simulated)));
    verdict_.lines.push_back({text_of(step), text_of(real), text_of(simulated)});
}

}  // namespace

Verdict compare(const Script& script, const Site& site) { return Comparison{site}.play(script); }

Verdict judge(const Script& script, const Site& site) {
    Verdict verdict;
    std::optional<Difference> seen;
    for (int run = 0; run < kRuns; ++run) {
        verdict = compare(script, site);
        if (verdict.port_repeated) continue;
        if (!verdict.difference) {
            verdict.unsteady = seen;
            return verdict;
        }
        seen = verdict.difference;
    }
    return verdict;
}

}  // namespace berth::differential
