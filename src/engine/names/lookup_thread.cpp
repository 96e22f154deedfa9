// SPDX-License-Identifier: MIT
//
// LookupThread: asking, serving, ending.

#include "engine/names/lookup_thread.hpp"

#include <string>
#include <utility>

namespace berth::engine {

namespace {

Error unavailable(const char* why) {
    return Error(ErrorCode::name_unavailable, "resolve").because(why);
}

Error ended() { return Error(ErrorCode::not_running, "resolve").because("the resolver has ended"); }

}  // namespace

// ── Asking ───────────────────────────────────────────────────────────────────────────────────

void LookupThread::ask(NameQuery&& query, NameAnswer&& answer) {
    if (auto started = start_once(); !started) return answer(fail(std::move(started.error())));
    if (waiting_.fetch_add(1) >= waiting_max_) {
        waiting_.fetch_sub(1);
        return answer(fail(unavailable("too many names wait to be looked up")
                               .fix("raise SystemResolverOptions::waiting_max")));
    }
    auto question = std::make_unique<Question>();
    question->query = std::move(query);
    question->answer = std::move(answer);
    question->is_sealed.store(true, std::memory_order_release);
    if (questions_.push(question.get())) {
        [[maybe_unused]] const Question* const queued = question.release();
        return;
    }
    waiting_.fetch_sub(1);
    question->answer(fail(Error(ErrorCode::memory_limit, "resolve")));
}

// If there is no thread to be had, the next question tries again.
Result<void> LookupThread::start_once() {
    if (is_started_.load() || is_started_.exchange(true)) return {};
    auto thread = Thread::start([self = shared_from_this()] { self->serve(); });
    if (thread) {
        thread_ = std::move(*thread);
        return {};
    }
    is_started_.store(false);
    return fail(std::move(thread.error()));
}

// ── Serving ──────────────────────────────────────────────────────────────────────────────────

void LookupThread::serve() {
    for (;;) {
        Question* const next = questions_.pop();
        if (next == &end_mark_ || !serve_one(std::unique_ptr<Question>(next))) return;
    }
}

// False: the thread was left alone meanwhile.
bool LookupThread::serve_one(std::unique_ptr<Question> question) {
    static_cast<void>(question->is_sealed.load(std::memory_order_acquire));
    waiting_.fetch_sub(1);
    // Copies: the question may be answered, and gone, while these are in use.
    const std::string host = question->query.host;
    const AddressFamily family = question->query.family;
    const bool is_wanted = !question->query.stop.stop_requested();
    Question* const own = question.release();
    current_.store(own);
    Result<ResolvedName> found = fail(ended());
    if (!is_ending_.load() && is_wanted) found = look_up(host, family);
    if (current_.exchange(nullptr) != own) return false;
    question.reset(own);
    question->answer(std::move(found));
    return true;
}

Result<ResolvedName> LookupThread::look_up(const std::string& host, AddressFamily family) {
    try {
        return look_up_(host, family);
    } catch (...) {  // nothing else is thrown there
        return fail(Error(ErrorCode::memory_limit, "resolve"));
    }
}

// ── Ending ───────────────────────────────────────────────────────────────────────────────────

void LookupThread::end() {
    is_ending_.store(true);
    if (const std::unique_ptr<Question> taken{current_.exchange(nullptr)}) {
        thread_.abandon();
        taken->answer(fail(ended()));
    } else if (is_started_.load()) {
        while (!questions_.push(&end_mark_)) {
        }
        thread_.join();
    }
    answer_the_rest();
}

// The order in the queue is that of each asking thread only: a question may be behind the mark.
void LookupThread::answer_the_rest() {
    while (Question* const next = questions_.pop_now()) {
        if (next == &end_mark_) continue;
        const std::unique_ptr<Question> question(next);
        static_cast<void>(question->is_sealed.load(std::memory_order_acquire));
        question->answer(fail(ended()));
    }
}

}  // namespace berth::engine
