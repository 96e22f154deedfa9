// SPDX-License-Identifier: MIT
//
// Process: how each of its calls is made.

#pragma once

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"
#include "driver/sim/descriptor_table.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/socket.hpp"

#include <utility>

namespace berth::driver::sim {

template <class Act>
auto Process::call(Act act) {
    kernel_.begin_call();
    auto outcome = act();
    kernel_.settle();
    return outcome;
}

template <class Ask>
auto Process::call(Descriptor socket, Ask ask) {
    return call([&]() -> decltype(ask(std::declval<Socket&>())) {
        const auto found = table_->socket(socket);
        if (!found) return base::failed(found.errno_value());
        return ask(**found);
    });
}

}  // namespace berth::driver::sim
