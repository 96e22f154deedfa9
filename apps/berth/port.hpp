// SPDX-License-Identifier: MIT
//
// `berth port`: who holds my port?
//
// Says what a bind of the address would get, who is in the way, and what to do about it. Nothing
// is started for it, and no client can meet it.

#pragma once

#include "units.hpp"

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <string>

namespace berth::app {

struct PortSettings {
    Endpoint endpoint;
    bool json = false;
    Duration wait{};  // until it is free, or for so long
};

// Any address that berth can name; a bare number is tcp://:NUMBER.
Parsed<Endpoint> parse_port_address(const std::string& text);

// The exit status of the program: 0 free, 1 busy.
int port(const PortSettings& settings);

}  // namespace berth::app
