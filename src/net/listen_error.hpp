// SPDX-License-Identifier: MIT
//
// listen_error: what is said when an address cannot be opened, and what to do about it.

#pragma once

#include <berth/endpoint.hpp>
#include <berth/result.hpp>

namespace berth::net {

// `operation` must be a string literal.
Error listen_error(const char* operation, int errno_value, const Endpoint& endpoint);

}  // namespace berth::net
