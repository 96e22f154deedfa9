// SPDX-License-Identifier: MIT
//
// call_outcome: a raw call's answer as a value or an errno.
//
// See:       raw_call.hpp.

#pragma once

#include "base/outcome.hpp"
#include "os/raw_call.hpp"

#include <cerrno>
#include <type_traits>

namespace berth::os {

template <class T>
base::Outcome<T> outcome(long result) {
    if (result < 0) return base::failed(static_cast<int>(-result));
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return static_cast<T>(result);
    }
}

// Makes the call again for as long as signals interrupt it, signal(7).
template <class T, class... Values>
base::Outcome<T> uninterrupted(Call call, Values... values) {
    for (;;) {
        const long result = raw_call(call, values...);
        if (result != -EINTR) return outcome<T>(result);
    }
}

}  // namespace berth::os
