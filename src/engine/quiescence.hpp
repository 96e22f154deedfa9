// SPDX-License-Identifier: MIT
//
// Quiescence: the listeners of an engine, or one of them, on their way from open to closed.
//
// Per address: the entrance is closed for all its shards, then everybody inside is accepted, then
// the sockets are closed. The coordinator goes from stage to stage; nothing here waits.
//
// Lifetime:  one per stop.
// Threads:   the coordinator's.
// See:       net/quiesce.hpp, docs/internals/stop.md.

#pragma once

#include "net/quiesce.hpp"

#include <berth/clock.hpp>
#include <berth/report.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace berth::engine {

class Core;

class Quiescence {
public:
    explicit Quiescence(Core& core) : core_(core) {}

    // Forgets the stop before.
    void reset() { addresses_.clear(); }
    // Closes the entrances of all open listeners, or of `only` that one.
    void begin(std::optional<std::size_t> only = {});
    bool is_empty();
    // How it went, into the reports of its listeners.
    void report(std::size_t listener, ListenerReport& into) const;

private:
    struct Address {
        std::size_t listener;
        std::unique_ptr<net::Quiesce> quiesce;
    };
    Core& core_;
    std::vector<Address> addresses_;
};

}  // namespace berth::engine
