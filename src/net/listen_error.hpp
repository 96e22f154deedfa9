// SPDX-License-Identifier: MIT
//
// listen_error: what is said when an address cannot be opened, and what to do about it.

#pragma once

#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <string>

namespace berth::net {

// `operation` must be a string literal.
Error listen_error(const char* operation, int errno_value, const Endpoint& endpoint);
// That it could not be bound to an interface.
Error device_error(int errno_value, const Endpoint& endpoint, const std::string& device);

}  // namespace berth::net
