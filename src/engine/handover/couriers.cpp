// SPDX-License-Identifier: MIT
//
// Couriers: two tasks for loops.

#include "engine/handover/couriers.hpp"

#include "engine/core.hpp"
#include "engine/worker.hpp"

#include <utility>

namespace berth::engine::handover {

namespace {

class ExportTask final : public loop::Task {
public:
    ExportTask(Worker& worker, Mailbox<Departed>& into) : worker_(worker), into_(into) {}

    void run() override {
        UniqueFunction<void(net::Traveller&&)> sink = [this](net::Traveller&& traveller) {
            departed_->travellers.push_back(std::move(traveller));
        };
        worker_.table().export_idle(sink);
        cancel();
    }

    // The loop has left: nobody travels.
    void cancel() override {
        into_.post(std::move(departed_));
        delete this;
    }

private:
    Worker& worker_;
    Mailbox<Departed>& into_;
    std::unique_ptr<Departed> departed_ = std::make_unique<Departed>();
};

class ImportTask final : public loop::Task {
public:
    ImportTask(Worker& worker, net::Traveller traveller, std::uint64_t serial,
               Mailbox<Arrived>& into)
        : worker_(worker), traveller_(std::move(traveller)), into_(into) {
        arrived_->serial = serial;
        const bool has_seat = worker.core().admission().seat(traveller_.listener, traveller_.peer);
        if (has_seat) seat_ = net::Seat::held;
    }

    void run() override {
        if (worker_.table().import(std::move(traveller_), seat_)) return finish(true);
        cancel();
    }

    void cancel() override {
        worker_.core().system().close(traveller_.socket);
        worker_.core().limit().remove();
        if (seat_ == net::Seat::held) {
            worker_.core().admission().leave(traveller_.listener, traveller_.peer);
        }
        worker_.table().unexpect();
        finish(false);
    }

private:
    void finish(bool is_taken) {
        arrived_->is_taken = is_taken;
        into_.post(std::move(arrived_));
        delete this;
    }

    Worker& worker_;
    net::Traveller traveller_;
    net::Seat seat_ = net::Seat::none;
    Mailbox<Arrived>& into_;
    std::unique_ptr<Arrived> arrived_ = std::make_unique<Arrived>();
};

void send(Worker& worker, loop::Task& task) {
    if (!worker.loop().post(task)) task.cancel();
}

}  // namespace

// Who arrives while the coordinator looks is seen by it; a mailbox is never closed.
template <class Letter>
void Mailbox<Letter>::post(std::unique_ptr<Letter> letter) {
    static_cast<void>(arrived_.push(*letter.release()));
    core_.progress();
}

template class Mailbox<Departed>;
template class Mailbox<Arrived>;

std::size_t send_for_travellers(Core& core, Mailbox<Departed>& into) {
    const std::size_t loops = core.worker_count();
    for (std::size_t i = 0; i < loops; ++i) {
        Worker& worker = core.worker(i);
        send(worker, *new ExportTask(worker, into));
    }
    return loops;
}

void bring(Core& core, net::Traveller traveller, std::uint64_t serial, Mailbox<Arrived>& into) {
    core.limit().add();
    Worker& worker = core.worker(static_cast<std::size_t>(serial) % core.worker_count());
    worker.table().expect();
    send(worker, *new ImportTask(worker, std::move(traveller), serial, into));
}

}  // namespace berth::engine::handover
