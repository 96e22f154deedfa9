// SPDX-License-Identifier: MIT
//
// Balancer: to which loop an accepted connection goes.
//
// Lifetime:  part of the worker that accepts.
// Threads:   that worker's.

#pragma once

#include <berth/endpoint.hpp>

#include <cstddef>

namespace berth::engine {

class Core;

class Balancer {
public:
    explicit Balancer(const Core& core) : core_(core) {}

    // The index of a worker.
    std::size_t choose(const IpEndpoint& peer);

private:
    std::size_t next();
    std::size_t least_loaded();

    const Core& core_;
    std::size_t turn_ = 0;
};

}  // namespace berth::engine
