// SPDX-License-Identifier: MIT
//
// CaresResolver: the thread, and what waits for it.

#include "channel.hpp"

#include <berth/cares_resolver.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace berth {

using cares::Channel;

namespace {

constexpr unsigned kTriesMax = 100;

Error ended() { return Error(ErrorCode::not_running, "resolve").because("the resolver has ended"); }

// Of other sources than files and DNS.
bool is_of_the_system(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    return host.find('.') == std::string_view::npos || host.ends_with(".local");
}

}  // namespace

struct CaresResolver::Parts {
    struct Question {
        NameQuery query;
        NameAnswer answer;
    };

    Parts(std::unique_ptr<Channel> opened, std::size_t most)
        : channel(std::move(opened)), open_max(most) {}
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;
    ~Parts() {
        is_ending.store(true);
        ring();
        if (thread.joinable()) thread.join();
        if (wake >= 0) ::close(wake);
    }

    // False: there is no room, and `question` is still the caller's.
    bool add(Question& question) {
        if (open.fetch_add(1) >= open_max) {
            open.fetch_sub(1);
            return false;
        }
        // Counted until it is answered, wherever that is.
        NameAnswer counted =
            [this, answer = std::move(question.answer)](Result<ResolvedName>&& result) mutable {
                open.fetch_sub(1);
                answer(std::move(result));
            };
        {
            const std::scoped_lock lock(mutex);
            inbox.push_back({.query = std::move(question.query), .answer = std::move(counted)});
        }
        ring();
        return true;
    }
    void ring() const {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(wake, &one, sizeof one);
    }

    void serve() {
        while (!is_ending.load()) {
            channel->wait(wake);
            std::uint64_t count = 0;
            [[maybe_unused]] const auto read = ::read(wake, &count, sizeof count);
            for (Question& question : take()) begin(std::move(question));
        }
        channel.reset();
        for (Question& question : take()) question.answer(fail(ended()));
    }
    std::vector<Question> take() {
        const std::scoped_lock lock(mutex);
        return std::exchange(inbox, {});
    }
    void begin(Question&& question) const {
        if (question.query.stop.stop_requested()) return question.answer(fail(ended()));
        channel->ask(std::move(question.query), std::move(question.answer));
    }

    std::unique_ptr<Channel> channel;  // the thread's
    const std::size_t open_max;
    SystemResolver system;
    std::atomic<std::size_t> open{0};
    std::atomic<bool> is_ending{false};
    std::mutex mutex;
    std::vector<Question> inbox;
    int wake = -1;
    std::thread thread;
};

Result<std::unique_ptr<CaresResolver>> CaresResolver::make(const CaresResolverOptions& options) {
    const auto bad = [](const char* why) {
        return fail(Error(ErrorCode::invalid_option, "begin c-ares").because(why));
    };
    if (options.timeout < std::chrono::milliseconds{1} || options.timeout > std::chrono::hours{1}) {
        return bad("CaresResolverOptions::timeout is not between 1 ms and 1 h");
    }
    if (options.tries < 1 || options.tries > kTriesMax) {
        return bad("CaresResolverOptions::tries is not between 1 and 100");
    }
    auto channel = Channel::open(options);
    if (!channel) return fail(std::move(channel.error()));
    auto parts = std::make_unique<Parts>(std::move(*channel), options.open_max);
    parts->wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (parts->wake < 0) return fail(Error::from_errno("eventfd", errno));
    try {
        parts->thread = std::thread([&parts = *parts] { parts.serve(); });
    } catch (const std::system_error& error) {
        return fail(Error::from_errno("pthread_create", error.code().value()));
    }
    return std::unique_ptr<CaresResolver>(new CaresResolver(std::move(parts)));
}

CaresResolver::CaresResolver(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
CaresResolver::~CaresResolver() = default;

void CaresResolver::resolve(NameQuery query, NameAnswer answer) {
    if (is_of_the_system(query.host)) {
        return parts_->system.resolve(std::move(query), std::move(answer));
    }
    Parts::Question question{.query = std::move(query), .answer = std::move(answer)};
    if (parts_->add(question)) return;
    question.answer(fail(Error(ErrorCode::name_unavailable, "resolve")
                             .because("too many names are being looked up")
                             .fix("raise CaresResolverOptions::open_max")));
}

}  // namespace berth
