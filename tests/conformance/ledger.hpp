// SPDX-License-Identifier: MIT
//
// Ledger: which operations are in flight, so that an impossible completion is seen at once.
//
// The checked driver enters what is started, the recording sink what completes. A completion that
// answers nothing, comes twice, or comes after the last one (2) fails the test where it happens;
// so does one that comes from inside a call other than poll (3).

#pragma once

#include "driver/driver.hpp"

#include <map>

namespace berth::conformance {

class Ledger {
public:
    enum Operation : unsigned {
        kAccepting = 1,
        kConnecting = 2,
        kReceiving = 4,
        kPaused = 8,
        kSending = 16,  // a send_when_ready
        kClosing = 32,
        kOpen = 64,       // started once, and on_closed has not come
        kHeardFin = 128,  // an error may still follow it
        kDatagrams = 256,
        kWatched = 512,
    };

    // Outside: the test's own code. In a call or outside, no completion may come.
    enum class Place { outside, in_poll, in_call };
    Place place = Place::outside;

    void start(const driver::Source& source, unsigned operation) { flags_[&source] |= operation; }
    void finish(const driver::Source& source, unsigned operation);
    void forget(const driver::Source& source) { flags_.erase(&source); }
    bool is(const driver::Source& source, unsigned operation) const;
    // Some listener accepts, or some stream is open.
    bool anything_in_flight() const { return !flags_.empty(); }

    // Fails the test unless `needed` is in flight and `barred` is not.
    void expect(const char* completion, const driver::Source& source, unsigned needed,
                unsigned barred) const;
    void expect_place(const char* completion) const;

private:
    std::map<const driver::Source*, unsigned> flags_;
};

}  // namespace berth::conformance
