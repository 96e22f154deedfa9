// SPDX-License-Identifier: MIT
//
// ScriptedResolver: names as a test wants them.
//
// A name that has no script does not exist. Each question takes the next of its answers; the last
// one stays.
//
// Lifetime:  outlives the engines that use it.
// Threads:   any.

#pragma once

#include "support/eventually.hpp"

#include <berth/resolver.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {

// "127.0.0.1", "[::1]".
inline IpEndpoint ip_of(const std::string& host) {
    return Endpoint::parse("tcp://" + host + ":0")->ip();
}

class ScriptedResolver final : public Resolver {
public:
    using Hosts = std::vector<std::string>;

    // The next answers of that name.
    void add(const std::string& name, const Hosts& hosts) {
        add(name, Result<ResolvedName>(resolved(hosts)));
    }
    void add(const std::string& name, ErrorCode code) {
        add(name, Result<ResolvedName>(fail(Error(code, "resolve").because("as scripted"))));
    }
    // Questions wait until release(), and may hear something early; at_question runs inside each,
    // before its answer.
    void hold() { holds_ = true; }
    void release() {
        std::vector<Held> held;
        {
            const std::scoped_lock lock(mutex_);
            holds_ = false;
            held.swap(held_);
        }
        for (Held& each : held) each.answer(next(each.query.host));
    }
    void tell_early(const Hosts& hosts) {
        const std::scoped_lock lock(mutex_);
        for (Held& each : held_) each.query.early(resolved(hosts));
    }
    std::function<void(std::size_t count)> at_question;

    std::size_t asked() const {
        const std::scoped_lock lock(mutex_);
        return queries_.size();
    }
    bool was_asked(std::size_t count = 1) const {
        return eventually([&] { return asked() >= count; });
    }
    NameQuery query(std::size_t index = 0) const {
        const std::scoped_lock lock(mutex_);
        return copy_of(queries_.at(index));
    }

    void resolve(NameQuery query, NameAnswer answer) override {
        std::size_t count = 0;
        {
            const std::scoped_lock lock(mutex_);
            queries_.push_back(copy_of(query));
            count = queries_.size();
            if (holds_) {
                held_.push_back({.query = std::move(query), .answer = std::move(answer)});
                return;
            }
        }
        if (at_question) at_question(count);
        answer(next(query.host));
    }

private:
    struct Held {
        NameQuery query;
        NameAnswer answer;
    };

    static ResolvedName resolved(const Hosts& hosts) {
        ResolvedName name;
        for (const std::string& host : hosts) name.addresses.push_back(ip_of(host));
        return name;
    }
    // Without its way for early answers.
    static NameQuery copy_of(const NameQuery& query) {
        return {.host = query.host, .family = query.family, .stop = query.stop};
    }
    void add(const std::string& name, Result<ResolvedName>&& answer) {
        const std::scoped_lock lock(mutex_);
        answers_[name].push_back(std::move(answer));
    }
    Result<ResolvedName> next(const std::string& name) {
        const std::scoped_lock lock(mutex_);
        auto& answers = answers_[name];
        if (answers.empty()) {
            return fail(Error(ErrorCode::name_not_found, "resolve").because("not scripted"));
        }
        Result<ResolvedName> answer = answers.front();
        if (answers.size() > 1) answers.pop_front();
        return answer;
    }

    mutable std::mutex mutex_;
    bool holds_ = false;
    std::map<std::string, std::deque<Result<ResolvedName>>> answers_;
    std::vector<NameQuery> queries_;
    std::vector<Held> held_;
};

}  // namespace berth::test
