// SPDX-License-Identifier: MIT
//
// pending_error: SO_ERROR of a socket, or why it could not be had: either way it has failed.

#pragma once

#include "driver/driver.hpp"
#include "os/calls.hpp"

namespace berth::driver {

inline int pending_error(const Source& source) {
    const auto told = os::option(number(source.descriptor), os::kPendingError);
    return told ? *told : told.errno_value();
}

}  // namespace berth::driver
