// SPDX-License-Identifier: MIT
//
// Verification: is an address of ours really free, now that we have closed it?
//
// A fresh socket with the options of our listeners binds it. It also listens, where a filter that
// drops every packet can be attached first: no client ever meets it. If the address is taken, the
// holder is looked for; what only needs the kernel to finish is tried again for kTeardown.
//
//     Verification verification(system, endpoint);
//     while (const auto again = verification.step()) { … until *again … }
//     verification.fill(report);
//
// Lifetime:  opens a socket within step, and leaves nothing open.
// Threads:   one at a time.

#pragma once

#include "driver/system.hpp"

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>
#include <berth/port.hpp>
#include <berth/report.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace berth::net {

class Verification {
public:
    // `once_ours`: inodes of the sockets that were closed, if known (System::inode): a copy that
    // somebody kept is then recognised for certain. `shares_port`: others may listen there; what is
    // tried is whether one more could join them.
    Verification(driver::System& system, Endpoint endpoint,
                 std::vector<std::uint64_t> once_ours = {}, bool shares_port = false)
        : system_(system),
          endpoint_(std::move(endpoint)),
          once_ours_(std::move(once_ours)),
          shares_port_(shares_port) {}

    // Tries. When to try again at the latest; nothing: it is settled, and never tried again.
    std::optional<Instant> step();

    bool is_released() const { return is_released_; }
    // released, listened, cause, port.
    void fill(ListenerReport& report) const;

private:
    base::Outcome<void> attempt();
    std::optional<Instant> look(int errno_value);

    driver::System& system_;
    Endpoint endpoint_;
    std::vector<std::uint64_t> once_ours_;
    bool shares_port_;
    std::optional<Instant> deadline_;  // none: not refused yet
    bool is_settled_ = false;
    bool is_released_ = false;
    bool has_listened_ = false;
    std::string cause_;
    std::optional<PortDiagnosis> port_;
};

}  // namespace berth::net
