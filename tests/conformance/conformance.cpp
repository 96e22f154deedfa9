// SPDX-License-Identifier: MIT
//
// Conformance: the steps that many tests share.

#include "conformance/conformance.hpp"

#include <iostream>

namespace berth::conformance {

using driver::Sent;
using driver::Source;
using driver::Stream;

void Conformance::TearDown() {
    world_->close();
    if (HasFailure()) std::cerr << world_->to_repeat() << '\n';
}

void Conformance::open_with(const driver::Bounds& bounds) {
    world_->close();
    world_ = GetParam().make();
    world_->open(bounds);
}

::testing::AssertionResult Conformance::comes(Kind kind, const Source& source) {
    return world_->until([&] { return sink().has(source, kind); });
}

::testing::AssertionResult Conformance::has_come(Kind kind, const Source& source) {
    if (sink().has(source, kind)) return ::testing::AssertionSuccess();
    if (!is_prompt()) return comes(kind, source);
    return ::testing::AssertionFailure() << "not yet; saw: " << sink().to_string();
}

::testing::AssertionResult Conformance::came_in_one_poll() {
    const bool in_one = sink().all().front().poll == sink().all().back().poll;
    if (in_one || !is_prompt()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "in several polls: " << sink().to_string();
}

::testing::AssertionResult Conformance::receives(const Stream& stream, std::size_t count) {
    return world_->until([&] { return sink().bytes_of(stream).size() >= count; });
}

void Conformance::send_small(Stream& stream, std::string_view bytes) {
    for (int tries = is_prompt() ? 1 : 1000; tries > 0 && !bytes.empty(); --tries) {
        const Sent sent = driver().send(stream, as_bytes(bytes));
        ASSERT_FALSE(sent.is_failed()) << "errno " << sent.errno_value();
        bytes.remove_prefix(sent.count());
    }
    EXPECT_TRUE(bytes.empty()) << "not sent, although there is room: " << bytes;
}

std::size_t Conformance::fill(Stream& stream) {
    const int refusals_enough = is_prompt() ? 1 : 20;
    const std::string block = pattern(kBlockBytes);
    std::size_t taken = 0;
    int refusals = 0;
    EXPECT_TRUE(world_->until([&] {
        const Sent sent = driver().send(stream, as_bytes(block));
        EXPECT_FALSE(sent.is_failed());
        taken += sent.count();
        refusals = sent.count() == 0 ? refusals + 1 : 0;
        return refusals == refusals_enough;
    }));
    return taken;
}

std::string pattern(std::size_t count) {
    std::string text(count, '\0');
    for (std::size_t at = 0; at < count; ++at) {
        text[at] = static_cast<char>('!' + (at + at / 89) % 90);
    }
    return text;
}

}  // namespace berth::conformance
