// SPDX-License-Identifier: MIT
//
// HandOff: an accepted connection on its way from the loop that accepted it to the one that
// will serve it. It counts as open from the accept on.

#pragma once

#include "base/recycler.hpp"
#include "driver/system.hpp"
#include "engine/core.hpp"
#include "engine/worker.hpp"
#include "loop/task.hpp"

namespace berth::engine {

class HandOff final : public loop::Task {
public:
    static HandOff* make(Worker& target, driver::Descriptor socket, const IpEndpoint& peer,
                         std::size_t listener) {
        HandOff* made = base::Recycler<HandOff>::take();
        made->target_ = &target;
        made->socket_ = socket;
        made->peer_ = peer;
        made->listener_ = listener;
        return made;
    }

    void run() override {
        target_->table().adopt(socket_, peer_, listener_);
        base::Recycler<HandOff>::give_back(this);
    }

    // The target has left: the client sees an end, or a reset if it has already sent.
    void cancel() override {
        target_->core().system().close(socket_);
        target_->core().limit().remove();
        target_->core().admission().leave(listener_, peer_);
        target_->table().unexpect();
        base::Recycler<HandOff>::give_back(this);
    }

private:
    Worker* target_ = nullptr;
    driver::Descriptor socket_ = driver::Descriptor::none;
    IpEndpoint peer_;
    std::size_t listener_ = 0;
};

}  // namespace berth::engine
