// SPDX-License-Identifier: MIT
//
// decode() over any bytes: what it takes for a message it writes back as the same bytes, or, where
// that is a passenger or a text, as bytes that read as the same again.

#include "engine/handover/messages.hpp"
#include "fuzz.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <cerrno>

namespace berth::fuzz {

using engine::handover::decode;
using engine::handover::encode;

void try_input(Bytes input) {
    const auto message = decode(input);
    if (!message) {
        const int why = message.errno_value();
        expect(why == EPROTO || why == EPROTONOSUPPORT, "a refusal says what is wrong");
        return;
    }
    const auto written = encode(*message);
    expect(written.size() <= engine::handover::kMessageMax + input.size(), "nothing grows");
    const auto again = decode(written);
    expect(again.has_value(), "what is written can be read");
    expect(again->index() == message->index(), "its kind stays");
    expect(std::ranges::equal(encode(*again), written), "a message has one form");
}

}  // namespace berth::fuzz
