// SPDX-License-Identifier: MIT
//
// WorkPool: blocking work, off the loops, and back to the connection that asked for it.
//
//     pool.run(peer, [key] { return database.read(key); },
//              [](berth::Connection& peer, berth::Result<std::string> value) { … });
//
// `work` runs on a thread of the pool and must not touch the connection; `then` runs on the
// connection's loop. What follows for one connection comes in the order in which it was asked
// for, although its work may run on several threads at the same time. While something is out, the
// connection is busy: a graceful stop sends its FIN only after the last `then`, or at the deadline.
//
// If the connection goes first, `then` is not called: what it holds, and the result, are destroyed
// on whichever thread has them, and work that no thread has begun is not begun.
//
// Lifetime:  outlives the callbacks that use it; not bound to one engine, nor to one run. The
//            destructor waits for work that is running; what waits is not begun, and its `then` is
//            told so. An engine need not wait for the pool: it may be gone when work ends.
// Threads:   run() on the connection's loop, any number of loops; the counts from anywhere.
// Errors:    an exception in `work` arrives in `then` as ErrorCode::handler_failed with its text.
//            One in `then` costs the connection, as in every callback.
// See:       docs/guides/blocking-work.md

#pragma once

#include <berth/export.hpp>
#include <berth/function.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace berth {

class Connection;

struct WorkPoolOptions {
    unsigned threads = 4;            // work that runs at the same time; at most 1024
    std::size_t waiting_max = 1024;  // work that no thread has begun; past it run() refuses
};

namespace engine::offload {
class Pool;
}

class BERTH_EXPORT WorkPool {
public:
    // Makes the threads. Fails where the system gives no more, or an option is out of range.
    static Result<WorkPool> make(const WorkPoolOptions& options = {});
    WorkPool(WorkPool&&) noexcept;
    WorkPool& operator=(WorkPool&&) noexcept;
    ~WorkPool();

    // `work`: R() or Result<R>(). `then`: void(Connection&, Result<R>). True: `then` follows,
    // exactly once, unless the connection goes first. False: there is no room, and neither is
    // kept. Then leave what was asked unread and return: the connection is not read until there is
    // room, and on_traffic sees it again.
    template <class Work, class Then>
    [[nodiscard]] bool run(Connection& peer, Work work, Then then) {
        return enqueue(
            peer, [work = std::move(work), then = std::move(then)](bool is_wanted) mutable -> Rest {
                auto result = is_wanted ? attempt(work) : refusal<Work>();
                return [then = std::move(then), result = std::move(result)](
                           Connection& back) mutable { then(back, std::move(result)); };
            });
    }

    std::size_t waiting() const;  // not begun
    std::size_t running() const;

private:
    using Rest = UniqueFunction<void(Connection&)>;
    using Body = UniqueFunction<Rest(bool is_wanted)>;

    template <class T>
    struct InResult {
        using type = Result<T>;
    };
    template <class T>
    struct InResult<Result<T>> {
        using type = Result<T>;
    };
    template <class Work>
    using ResultOf = typename InResult<std::decay_t<std::invoke_result_t<Work&>>>::type;

    template <class Work>
    static ResultOf<Work> attempt(Work& work) {
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<Work&>>) {
                work();
                return {};
            } else {
                return work();
            }
        } catch (...) {
            return fail(what_was_thrown());
        }
    }
    template <class Work>
    static ResultOf<Work> refusal() {
        return fail(pool_has_ended());
    }
    static Error what_was_thrown();  // inside a catch
    static Error pool_has_ended();

    struct Parts;
    explicit WorkPool(std::unique_ptr<Parts> parts);
    bool enqueue(Connection& peer, Body body);

    std::unique_ptr<Parts> parts_;
};

}  // namespace berth
