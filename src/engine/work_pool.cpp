// SPDX-License-Identifier: MIT
//
// WorkPool: the public face of a Pool.

#include <berth/work_pool.hpp>

#include "base/assert.hpp"
#include "engine/offload/job_book.hpp"
#include "engine/offload/pool.hpp"

#include <exception>
#include <string>
#include <utility>

namespace berth {

using engine::offload::Job;
using engine::offload::JobBook;
using engine::offload::Pool;

namespace {

constexpr unsigned kThreadsMax = 1024;

}  // namespace

// Whoever waits for room shares the pool.
struct WorkPool::Parts {
    explicit Parts(std::size_t waiting_max) : pool(std::make_shared<Pool>(waiting_max)) {}
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;
    ~Parts() { pool->end(); }

    std::shared_ptr<Pool> pool;
};

Result<WorkPool> WorkPool::make(const WorkPoolOptions& options) {
    const auto out_of_range = [](const char* what) {
        return fail(Error(ErrorCode::invalid_option, "make a work pool").because(what));
    };
    if (options.threads < 1 || options.threads > kThreadsMax) {
        return out_of_range("threads must be from 1 to 1024");
    }
    if (options.waiting_max < 1) return out_of_range("waiting_max must be at least 1");
    auto parts = std::make_unique<Parts>(options.waiting_max);
    if (auto started = parts->pool->start(options.threads); !started) {
        return fail(std::move(started.error()));
    }
    return WorkPool(std::move(parts));
}

WorkPool::WorkPool(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
WorkPool::WorkPool(WorkPool&&) noexcept = default;
WorkPool& WorkPool::operator=(WorkPool&&) noexcept = default;
WorkPool::~WorkPool() = default;

bool WorkPool::enqueue(Connection& peer, Body body) {
    auto& connection = net::ConnectionCore::of(peer);
    auto& worker = engine::Worker::of(connection.table().face());
    BERTH_DEBUG_ASSERT(worker.loop().is_on_its_thread(),
                       "work is given to a pool on the connection's loop");
    if (connection.is_gone()) return true;  // nobody is left to come back to
    JobBook& book = worker.jobs();
    Pool& pool = *parts_->pool;
    if (pool.reserve()) {
        auto job = std::make_unique<Job>(connection.id(), book.way(), std::move(body));
        if (pool.submit(*job)) {
            // It comes back by a task of this loop: not before this callback has returned.
            book.add(connection, *job.release());
            return true;
        }
    }
    if (book.begin_waiting(connection)) pool.call_when_room(connection.id(), book.way());
    return false;
}

std::size_t WorkPool::waiting() const { return parts_->pool->waiting(); }
std::size_t WorkPool::running() const { return parts_->pool->running(); }

Error WorkPool::what_was_thrown() {
    std::string what;
    try {
        throw;
    } catch (const std::exception& thrown) {
        what = thrown.what();
    } catch (...) {
        what = "something that is no exception";
    }
    return Error(ErrorCode::handler_failed, "work").because(std::move(what));
}

Error WorkPool::pool_has_ended() {
    return Error(ErrorCode::not_running, "work").because("the pool ended before it was begun");
}

}  // namespace berth
