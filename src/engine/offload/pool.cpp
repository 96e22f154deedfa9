// SPDX-License-Identifier: MIT
//
// Pool: working, and passing room on.

#include "engine/offload/pool.hpp"

#include "engine/offload/job_book.hpp"

#include <utility>

namespace berth::engine::offload {

// A connection that waits for room. Once it has been read again, it passes on what it left: had it
// done so at once, each place would have woken everybody who waits.
class RoomCall final : public loop::Task {
public:
    RoomCall(ConnectionId id, std::shared_ptr<WayBack> way, std::shared_ptr<Pool> pool)
        : id_(id), way_(std::move(way)), pool_(std::move(pool)) {}

    // False: its loop is gone.
    bool send() { return WayBack::post(way_, *this); }

    void run() override {
        const bool was_read = std::exchange(was_told_, true);
        // Its on_traffic is called at the end of this iteration; this, in the next.
        if (!was_read && way_->worker().jobs().room(id_) && send()) return;
        cancel();
    }
    void cancel() override {
        const std::shared_ptr<Pool> pool = std::move(pool_);
        delete this;
        pool->pass_room_on();
    }

private:
    ConnectionId id_;
    std::shared_ptr<WayBack> way_;
    std::shared_ptr<Pool> pool_;
    bool was_told_ = false;
};

Result<void> Pool::start(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
        auto thread = Thread::start([this] { serve(); });
        if (!thread) {
            end();
            return fail(std::move(thread.error()));
        }
        threads_.push_back(std::move(*thread));
    }
    return {};
}

void Pool::end() {
    is_ending_.store(true);
    for (std::size_t left = threads_.size(); left > 0;) {
        if (jobs_.push(nullptr)) --left;
    }
    threads_.clear();
    // The order is that of each pushing thread only: work may be behind the sign to end.
    while (Job* const job = jobs_.pop_now()) work_on(*job);
    while (RoomCall* const call = calls_.pop_now()) {
        callers_.fetch_sub(1);
        if (!call->send()) delete call;
    }
}

bool Pool::reserve() {
    if (waiting_.fetch_add(1) < waiting_max_) return true;
    waiting_.fetch_sub(1);
    return false;
}

bool Pool::submit(Job& job) {
    job.seal();
    if (jobs_.push(&job)) return true;
    waiting_.fetch_sub(1);
    return false;
}

void Pool::serve() {
    while (Job* const job = jobs_.pop()) work_on(*job);
}

void Pool::work_on(Job& job) {
    running_.fetch_add(1);
    waiting_.fetch_sub(1);
    pass_room_on();
    job.work(is_ending_.load());
    running_.fetch_sub(1);
}

// ── Room ─────────────────────────────────────────────────────────────────────────────────────

void Pool::call_when_room(ConnectionId id, const std::shared_ptr<WayBack>& way) {
    auto call = std::make_unique<RoomCall>(id, way, shared_from_this());
    if (!calls_.push(call.get())) return;  // without memory for this nothing goes on anyway
    // NOLINTNEXTLINE(bugprone-unused-return-value): it is queued
    static_cast<void>(call.release());
    callers_.fetch_add(1);
    pass_room_on();
}

void Pool::pass_room_on() {
    while (callers_.load() > 0 && waiting_.load() < waiting_max_) {
        RoomCall* const call = calls_.pop_now();
        if (call == nullptr) return;  // somebody else has it
        callers_.fetch_sub(1);
        if (call->send()) return;
        delete call;
    }
}

}  // namespace berth::engine::offload
