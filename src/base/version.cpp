// SPDX-License-Identifier: MIT
//
// Version: compiled into the library, so that a program can tell it from its headers' version.

#include <berth/version.hpp>

#include <string_view>

namespace berth {

std::string_view version() { return BERTH_VERSION; }

}  // namespace berth
