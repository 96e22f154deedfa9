// SPDX-License-Identifier: MIT
//
// Couriers: what carries live connections between the coordinator and the loops.
//
// An export is asked of one loop and comes back with its travellers; an import brings one
// traveller to a loop and comes back with whether it was taken. Both return through a Mailbox,
// which wakes the coordinator.
//
// Lifetime:  made by send(), destroyed by who takes them out of the mailbox. The mailbox outlives
//            them: it is part of its Core.
// Threads:   send() and take() on the coordinator's; the rest on the loop's.

#pragma once

#include "base/stack_queue.hpp"
#include "loop/task.hpp"
#include "net/traveller.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace berth::engine {
class Core;
class Worker;
}  // namespace berth::engine

namespace berth::engine::handover {

// An export that came home.
struct Departed {
    std::vector<net::Traveller> travellers;
    Departed* next = nullptr;
};

// An import that came home.
struct Arrived {
    std::uint64_t serial = 0;
    bool is_taken = false;
    Arrived* next = nullptr;
};

template <class Letter>
class Mailbox {
public:
    explicit Mailbox(Core& core) : core_(core) {}
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;
    ~Mailbox() {
        while (take() != nullptr) {
        }
    }

    // Any thread.
    void post(std::unique_ptr<Letter> letter);
    // The coordinator: the oldest; null when there is none.
    std::unique_ptr<Letter> take() {
        if (oldest_ == nullptr) oldest_ = arrived_.take_all();
        std::unique_ptr<Letter> letter(oldest_);
        if (letter) oldest_ = letter->next;
        return letter;
    }

private:
    Core& core_;
    base::StackQueue<Letter> arrived_;
    Letter* oldest_ = nullptr;
};

// Asks every loop for its idle connections: as many letters come as there are loops, returned.
std::size_t send_for_travellers(Core& core, Mailbox<Departed>& into);

// Brings one to a loop. It counts as open from now on.
void bring(Core& core, net::Traveller traveller, std::uint64_t serial, Mailbox<Arrived>& into);

}  // namespace berth::engine::handover
