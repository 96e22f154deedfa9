// SPDX-License-Identifier: MIT
//
// Claims: which of the sockets that were offered a starting generation wants.
//
// Listeners match by what they are bound to, not by what was written: `tcp://:80` and
// `tcp://[::]:80` are one address, and a Unix path is the file it leads to. Only where the
// configured address leaves the real one open (port 0, or a dual-stack address on a kernel without
// IPv6) does the same text mean the same listener.
//
// Threads:   pure.

#pragma once

#include "driver/system.hpp"
#include "engine/handover/messages.hpp"

#include <berth/endpoint.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace berth::engine::handover {

// One address that the new generation was given.
struct Wish {
    Endpoint endpoint;         // parsed
    std::string asked;         // the text
    driver::PathFacts path{};  // of a Unix path: what lies there
};

// For each wish the listener (index of the old generation) that answers it, if any does. No
// listener answers two.
std::vector<std::optional<std::uint32_t>> match(std::span<const Wish> wishes,
                                                std::span<const OfferedSocket> offered);

}  // namespace berth::engine::handover
