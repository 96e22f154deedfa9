// SPDX-License-Identifier: MIT
//
// shrink: leaves out halves, then quarters, down to single steps, until none can be spared.

#include "differential/shrink.hpp"

#include "differential/step.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

namespace berth::differential {

namespace {

Script without(const Script& script, std::size_t first, std::size_t count) {
    const auto from = script.begin() + static_cast<std::ptrdiff_t>(first);
    const auto to = from + static_cast<std::ptrdiff_t>(std::min(count, script.size() - first));
    Script left(script.begin(), from);
    left.insert(left.end(), to, script.end());
    return left;
}

using StillDiffers = std::function<bool(const Script&)>;

// Leaves out every piece of `size` steps that can be spared. False: none can.
bool leave_out_pieces(Script& script, std::size_t size, const StillDiffers& still_differs) {
    bool is_shorter = false;
    for (std::size_t first = 0; first < script.size();) {
        Script shorter = without(script, first, size);
        if (still_differs(shorter)) {
            script = std::move(shorter);
            is_shorter = true;
        } else {
            first += size;
        }
    }
    return is_shorter;
}

}  // namespace

Script shrink(Script script, const std::function<bool(const Script&)>& still_differs) {
    std::size_t piece = script.size();
    while (piece > 0) {
        const bool is_shorter = leave_out_pieces(script, piece, still_differs);
        if (!is_shorter || piece > 1) piece /= 2;
    }
    return script;
}

}  // namespace berth::differential
