// SPDX-License-Identifier: MIT
//
// The one line about an address: who holds it, or that it is free.

#pragma once

#include <berth/port.hpp>

#include <string>

namespace berth::base {

// "tcp://127.0.0.1:9000 is held by nginx (pid 4711, user www-data, since 2026-11-22 21:55:01 UTC)"
std::string headline(const PortDiagnosis& port);

}  // namespace berth::base
