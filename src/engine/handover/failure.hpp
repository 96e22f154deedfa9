// SPDX-License-Identifier: MIT
//
// Failure: whom not to trust, how to say no, and what a lost conversation is called.

#pragma once

#include "engine/handover/channel.hpp"

#include <string_view>

namespace berth::engine::handover {

// Runs the other end as our user, or as root?
bool is_same_user(driver::System& system, driver::Descriptor socket);

// Says why not, and closes.
void refuse(driver::System& system, driver::Descriptor socket, std::string_view reason);

// What an errno of Channel means, as half a sentence.
std::string_view reason_of(int errno_value);

}  // namespace berth::engine::handover
