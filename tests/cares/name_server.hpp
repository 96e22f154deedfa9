// SPDX-License-Identifier: MIT
//
// NameServer: a name server that answers as a test tells it; and what resolvers say of it.
//
// Limits:    A and AAAA, one record to an answer. RFC 1035, 4.1; RFC 3596.

#pragma once

#include "support/eventually.hpp"
#include "support/raw_datagram.hpp"
#include "support/scripted_resolver.hpp"

#include <berth/resolver.hpp>

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {

// Answers what was asked last, of either family.
class NameServer {
public:
    enum class Refusal : char { no_data = 0, failed = 2, no_name = 3 };  // RCODE; with no answers

    std::string address() const { return "127.0.0.1:" + std::to_string(socket_.endpoint().port()); }
    // The name of the next question.
    std::string hear() { return take(socket_.read()); }
    std::optional<std::string> hear_now() {
        auto letter = socket_.read_now();
        if (!letter) return std::nullopt;
        return take(std::move(*letter));
    }
    // Until both families of the same name have been asked for.
    std::string hear_both() {
        for (;;) {
            const std::string name = hear();
            if (asked_[kA].name == name && asked_[kAaaa].name == name) return name;
        }
    }
    // Of that address's family, the last that was asked for.
    void answer(const std::string& host, char ttl) {
        const IpEndpoint ip = ip_of(host);
        const char type = ip.family == 4 ? kA : kAaaa;
        const std::size_t length = ip.family == 4 ? 4 : 16;
        std::string record{'\xc0', kHead, 0, type, 0, 1,
                           0,      0,     0, ttl,  0, static_cast<char>(length)};
        for (std::size_t i = 0; i < length; ++i) record += static_cast<char>(ip.address.at(i));
        send(type, 0, 1, record);
    }
    // Whatever was asked last.
    void refuse(Refusal why) { send(last_, static_cast<char>(why), 0, ""); }
    void refuse_ipv4(Refusal why) { send(kA, static_cast<char>(why), 0, ""); }
    void refuse_ipv6(Refusal why) { send(kAaaa, static_cast<char>(why), 0, ""); }

private:
    static constexpr char kHead = 12;  // bytes before the question
    static constexpr char kA = 1;
    static constexpr char kAaaa = 28;
    struct Asked {
        Letter letter;
        std::string name;
    };

    // Labels with dots.
    std::string take(Letter&& letter) {
        const std::string& bytes = letter.bytes;
        std::string name;
        std::size_t at = kHead;
        while (at + 2 < bytes.size() && bytes[at] != 0) {
            const auto length = static_cast<std::size_t>(bytes[at]);
            if (!name.empty()) name += '.';
            name += bytes.substr(at + 1, length);
            at += length + 1;
        }
        last_ = bytes.at(at + 2);
        asked_[last_] = {.letter = std::move(letter), .name = name};
        return name;
    }
    void send(char type, char code, char answers, const std::string& records) {
        const Asked& asked = asked_.at(type);
        const std::size_t question = asked.name.size() + 2 + 4;  // type and class
        std::string reply = asked.letter.bytes.substr(0, kHead + question);
        reply[2] = static_cast<char>(0x81);         // a reply, recursion was desired
        reply[3] = static_cast<char>(0x80 | code);  // and is available
        reply[6] = reply[8] = reply[9] = reply[10] = reply[11] = 0;
        reply[7] = answers;
        socket_.send_to({Scheme::udp, asked.letter.from}, reply + records);
    }

    RawDatagramSocket socket_{*Endpoint::parse("udp://127.0.0.1:0")};
    std::map<char, Asked> asked_;  // by type
    char last_ = 0;
};

class Answers {
public:
    NameAnswer note() {
        return [this](Result<ResolvedName>&& answer) {
            const std::scoped_lock lock(mutex_);
            answers_.push_back(std::move(answer));
        };
    }
    std::size_t count() const {
        const std::scoped_lock lock(mutex_);
        return answers_.size();
    }
    Result<ResolvedName> at(std::size_t index = 0) const {
        EXPECT_TRUE(eventually([&] { return count() > index; }));
        const std::scoped_lock lock(mutex_);
        return answers_.at(index);
    }

    // What is known early, whenever it is.
    EarlyAnswer note_early() {
        return [this](ResolvedName&& known) {
            const std::scoped_lock lock(mutex_);
            early_.push_back(std::move(known.addresses));
        };
    }
    std::size_t early_count() const {
        const std::scoped_lock lock(mutex_);
        return early_.size();
    }
    std::vector<IpEndpoint> early_at(std::size_t index = 0) const {
        EXPECT_TRUE(eventually([&] { return early_count() > index; }));
        const std::scoped_lock lock(mutex_);
        return early_.at(index);
    }

private:
    mutable std::mutex mutex_;
    std::vector<Result<ResolvedName>> answers_;
    std::vector<std::vector<IpEndpoint>> early_;
};

}  // namespace berth::test
