// SPDX-License-Identifier: MIT
//
// Engine::diagnose: port diagnosis on the kernel of this machine.

#include "driver/kernel_system.hpp"
#include "net/port_diagnosis.hpp"

#include <berth/endpoint.hpp>
#include <berth/engine.hpp>

namespace berth {

Result<PortDiagnosis> Engine::diagnose(std::string_view address) {
    const auto endpoint = Endpoint::parse(address);
    if (!endpoint) return fail(endpoint.error());
    return net::diagnose_settled_port(driver::kernel_system(), *endpoint);
}

}  // namespace berth
