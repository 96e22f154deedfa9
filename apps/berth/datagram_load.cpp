// SPDX-License-Identifier: MIT
//
// DatagramLoad: asking, hearing, losing.

#include "datagram_load.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/datagram.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace berth::app {

namespace {

constexpr Duration kAnswerWithin = std::chrono::milliseconds{500};

}  // namespace

DatagramLoad::DatagramLoad(const LoadSettings& settings)
    : settings_(settings), pattern_(settings.seed, settings.shape.size) {
    flows_.resize(settings.connections);
    for (Flow& flow : flows_) flow.slots.resize(settings.shape.depth);
    if (settings.cpu_of) meter_.emplace(*settings.cpu_of);
}

std::vector<std::string> DatagramLoad::addresses() const {
    const bool is_v6 = settings_.to.endpoint().ip().family == 6;
    return {settings_.connections, is_v6 ? "udp6://:0" : "udp4://:0"};
}

void DatagramLoad::on_boot(Engine& engine) {
    progress_.emplace(engine.now());
    for (std::size_t index = 0; index < engine.loop_count(); ++index) {
        by_loop_.push_back(std::make_unique<PerLoop>());
        by_loop_.back()->request.resize(settings_.shape.size);
    }
}

// Flow i is on loop i mod N (Balance::round_robin).
void DatagramLoad::on_loop_start(EventLoop& loop) {
    PerLoop& here = *by_loop_[loop.index()];
    here.began_at = loop.engine().now();
    for (std::size_t flow = loop.index(); flow < flows_.size(); flow += by_loop_.size()) {
        for (std::size_t slot = 0; slot < settings_.shape.depth; ++slot) ask(loop, flow, slot);
    }
}

// ── Asking and hearing ───────────────────────────────────────────────────────────────────────

bool DatagramLoad::is_over(const PerLoop& here, Instant now) const {
    return now - *here.began_at >= settings_.warm_up + settings_.duration;
}

// The requests of a slot have its number modulo `depth`.
void DatagramLoad::ask(EventLoop& loop, std::size_t flow, std::size_t slot) {
    PerLoop& here = *by_loop_[loop.index()];
    Flow& asking = flows_[flow];
    Slot& asked = asking.slots[slot];
    const bool is_through = settings_.requests && asking.asked >= *settings_.requests;
    const Instant now = loop.engine().now();
    asked.is_open = !is_through && !is_over(here, now);
    if (!asked.is_open) return;
    asked.number = asked.asked_at == Instant{} ? slot : asked.number + settings_.shape.depth;
    asked.asked_at = now;
    ++asking.asked;
    const Bytes body =
        pattern_.at(flow, asked.number * here.request.size(), here.request.size() - kSizeMin);
    std::memcpy(here.request.data(), &asked.number, kSizeMin);
    std::ranges::copy(body, here.request.begin() + kSizeMin);
    static_cast<void>(loop.send_to(flow, settings_.to.endpoint(), here.request));
}

// False: nobody would have sent this who echoes.
bool DatagramLoad::is_answer(const Datagram& datagram, const Flow& flow,
                             std::uint64_t& number) const {
    const Bytes bytes = datagram.payload();
    if (bytes.size() != settings_.shape.size) return false;
    std::memcpy(&number, bytes.data(), kSizeMin);
    const Slot& slot = flow.slots[number % flow.slots.size()];
    return number <= slot.number &&
           pattern_.matches(datagram.listener_index(), number * bytes.size(),
                            bytes.subspan(kSizeMin));
}

void DatagramLoad::on_datagram(Datagram& datagram) {
    if (datagram.peer_endpoint().ip() != settings_.to.endpoint().ip()) return;  // a stranger
    PerLoop& here = *by_loop_[datagram.loop().index()];
    Flow& flow = flows_[datagram.listener_index()];
    std::uint64_t number = 0;
    if (!is_answer(datagram, flow, number)) {
        flow.is_corrupt = true;
        return datagram.loop().engine().request_stop();
    }
    Slot& slot = flow.slots[number % flow.slots.size()];
    ++flow.answered;
    if (!slot.is_open || slot.number != number) return;  // it was given up
    const Instant now = datagram.loop().engine().now();
    here.tally.latencies.record(now - slot.asked_at);
    here.tally.last_answer = now;
    ++here.tally.requests;
    here.answered.fetch_add(1, std::memory_order_relaxed);
    ask(datagram.loop(), datagram.listener_index(), number % flow.slots.size());
}

// ── Losing ───────────────────────────────────────────────────────────────────────────────────

// Is nothing owed any more?
bool DatagramLoad::look_after(EventLoop& loop, std::size_t flow) {
    PerLoop& here = *by_loop_[loop.index()];
    bool is_settled = true;
    for (std::size_t at = 0; at < settings_.shape.depth; ++at) {
        Slot& slot = flows_[flow].slots[at];
        if (slot.is_open && loop.engine().now() - slot.asked_at > kAnswerWithin) {
            ++here.tally.lost;
            ask(loop, flow, at);
        }
        is_settled = is_settled && !slot.is_open;
    }
    return is_settled;
}

Duration DatagramLoad::on_tick(EventLoop& loop) {
    PerLoop& here = *by_loop_[loop.index()];
    const Instant now = loop.engine().now();
    if (!here.counted_from && now - *here.began_at >= settings_.warm_up) {
        here.counted_from = now;
        here.tally = {};
    }
    bool is_done = true;
    for (std::size_t flow = loop.index(); flow < flows_.size(); flow += by_loop_.size()) {
        is_done = look_after(loop, flow) && is_done;
    }
    here.is_done = is_done;
    if (loop.index() == 0) watch(loop.engine(), now);
    return LoadSettings::kTick;
}

void DatagramLoad::watch(Engine& engine, Instant now) {
    std::uint64_t answered = 0;
    for (const auto& each : by_loop_) answered += each->answered.load(std::memory_order_relaxed);
    progress_->show(now, flows_.size(), answered);
    const PerLoop& here = *by_loop_.front();
    if (meter_ && here.counted_from) meter_->look(answered, is_over(here, now));
    const bool all_done =
        std::ranges::all_of(by_loop_, [](const auto& each) { return each->is_done.load(); });
    if (all_done) engine.request_stop();
}

// ── The result ───────────────────────────────────────────────────────────────────────────────

LoadResult DatagramLoad::result() const {
    LoadResult result{.settings = settings_, .tally = {}};
    for (const auto& each : by_loop_) result.tally.add(each->tally);
    Instant began_at = result.tally.last_answer;
    for (const auto& each : by_loop_) {
        began_at = std::min(began_at, each->counted_from.value_or(began_at));
    }
    result.elapsed = result.tally.last_answer - began_at;
    for (const Flow& flow : flows_) {
        const Ending mute =
            flow.asked > 0 && flow.answered == 0 ? Ending::timed_out : Ending::clean;
        ++result.tally.ended(flow.is_corrupt ? Ending::corrupt : mute);
        result.tally.unanswered += static_cast<std::uint64_t>(
            std::ranges::count_if(flow.slots, [](const Slot& slot) { return slot.is_open; }));
    }
    if (meter_) result.cpu_per_request = meter_->per_request();
    return result;
}

}  // namespace berth::app
