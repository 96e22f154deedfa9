// SPDX-License-Identifier: MIT
//
// LookupThread: one thread that looks names up, what waits for it, and its end.
//
// A question that the C library is busy with cannot be interrupted, and may take as long as dead
// name servers make it. So nobody waits for it: whoever ends the thread takes the question out of
// its hands and answers; the thread finds that when the library returns, and goes.
//
//     thread:   current = question,  is ending?    …look up…    current → null: it answers
//     end():    ending = true,       current → null: end() answers, and leaves the thread alone
//
// Both lines are in one order for all (seq_cst): one of the two sees the other.
//
// Lifetime:  shared by its resolver and by the thread.
// Threads:   ask() from any; end() once.

#pragma once

#include "engine/offload/work_queue.hpp"
#include "engine/threads.hpp"

#include <berth/function.hpp>
#include <berth/resolver.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace berth::engine {

class LookupThread : public std::enable_shared_from_this<LookupThread> {
public:
    using LookUp = UniqueFunction<Result<ResolvedName>(const std::string& host, AddressFamily)>;

    LookupThread(std::size_t waiting_max, LookUp look_up)
        : waiting_max_(waiting_max), look_up_(std::move(look_up)) {}

    void ask(NameQuery&& query, NameAnswer&& answer);
    // Everybody who waits is answered; nothing is looked up any more.
    void end();

private:
    struct Question {
        NameQuery query;
        NameAnswer answer;
        // What the asking thread wrote is seen by who takes it out of the queue.
        std::atomic<bool> is_sealed{false};
    };

    Result<void> start_once();
    void serve();
    bool serve_one(std::unique_ptr<Question> question);
    Result<ResolvedName> look_up(const std::string& host, AddressFamily family);
    void answer_the_rest();

    const std::size_t waiting_max_;
    LookUp look_up_;  // of the thread
    offload::WorkQueue<Question> questions_;
    Question end_mark_;
    std::atomic<std::size_t> waiting_{0};
    std::atomic<Question*> current_{nullptr};
    std::atomic<bool> is_ending_{false};
    std::atomic<bool> is_started_{false};
    Thread thread_;  // of who started it, and of end()
};

}  // namespace berth::engine
