// SPDX-License-Identifier: MIT
//
// UringDriver, the part that does not depend on the sink: opening.

#include "driver/uring/uring_driver.hpp"

namespace berth::driver {

Outcome<UringParts> UringParts::open(const uring::Features& allowed) {
    UringParts parts;
    auto event = os::open_eventfd();
    if (!event) return base::failed(event.errno_value());
    parts.event = os::OwnedDescriptor(*event);
    auto ring = uring::Ring::open(allowed);
    if (!ring) return base::failed(ring.errno_value());
    parts.ring = std::move(*ring);
    auto buffers = uring::Buffers::open(parts.ring->number(), allowed.incremental);
    if (!buffers) return base::failed(buffers.errno_value());
    parts.buffers = std::make_unique<uring::Buffers>(std::move(*buffers));
    return parts;
}

std::string UringParts::description() const {
    std::string features = ring->is_deferred() ? "deferred" : "cooperative";
    features += buffers->is_incremental() ? ", incremental buffers" : ", whole buffers";
    features += ring->accepts_ahead() ? ", accepts ahead" : ", accepts by calls";
    return features;
}

}  // namespace berth::driver
