// SPDX-License-Identifier: MIT
//
// Job: working, and coming back.

#include "engine/offload/job.hpp"

#include "engine/offload/job_book.hpp"

namespace berth::engine::offload {

void Job::work(bool is_ending) {
    if (!is_wanted_.load(std::memory_order_acquire)) {
        delete this;
        return;
    }
    // What the user's work throws is in the result. A result that throws when it is moved, or
    // memory that is missing, leaves nothing that could follow.
    try {
        rest_ = body_(!is_ending);
    } catch (...) {
        rest_.reset();
    }
    body_.reset();
    if (!WayBack::post(way_, *this)) delete this;
}

void Job::run() {
    is_back_ = true;
    way_->worker().jobs().returned(*this);
}

}  // namespace berth::engine::offload
