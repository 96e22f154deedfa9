// SPDX-License-Identifier: MIT
//
// Player: plays steps on one machine, and tells its answers in words that two machines share.
//
// Descriptors become slots and ports become "port(s3)", the port that slot 3 has or had. What a
// socket sends is a pattern of its slot and of its offset in what that slot sent so far, so that
// whatever arrives says whose it is, and whether any of it is missing.
//
// Lifetime:  within its machine's.

#pragma once

#include "differential/machine.hpp"
#include "differential/step.hpp"

#include <berth/endpoint.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace berth::differential {

struct Answer {
    int error = 0;          // an errno, or 0
    std::size_t count = 0;  // of bytes
    std::string words{};    // the rest of it: an address, "truncated", how a drain ended

    friend bool operator==(const Answer&, const Answer&) = default;
};

// "12 bytes", "ECONNREFUSED"; for a reader.
std::string text_of(const Answer& answer);
std::string text_of(const Readiness& readiness);
std::string name_of_error(int error);

class Player {
public:
    static constexpr std::size_t kSlotsMax = 64;

    // Paths are made in `directory`; abstract names begin with it.
    Player(Machine& machine, std::string directory)
        : machine_(machine), directory_(std::move(directory)) {}

    // Is there everything that the step is about?
    bool can_play(const Step& step) const;
    Answer play(const Step& step);

    bool is_open(int slot) const { return slot != kNoSlot && driver::is_open(at(slot).descriptor); }
    bool is_connected(int slot) const;
    Readiness readiness(int slot) { return machine_.readiness(at(slot).descriptor); }
    Family family(int slot) const { return at(slot).family; }
    Kind kind(int slot) const { return at(slot).kind; }
    // All that the slot received so far.
    const std::string& received(int slot) const { return at(slot).received; }
    std::uint16_t port(int slot) const { return at(slot).port; }
    // Did the machine, free to choose, choose a port that another slot has or had? Then symbols
    // are ambiguous, and nothing can be said.
    bool port_repeated() const { return port_repeated_; }
    bool settle() { return machine_.settle(); }

private:
    struct Slot {
        Descriptor descriptor = Descriptor::none;
        Family family = Family::v4;
        Kind kind = Kind::stream;
        std::uint16_t port = 0;
        std::size_t sent = 0;
        std::string received{};

        Scheme scheme() const;
    };

    Slot& at(int slot) { return slots_[static_cast<std::size_t>(slot)]; }
    const Slot& at(int slot) const { return slots_[static_cast<std::size_t>(slot)]; }

    Answer perform(const Step& step);
    Answer socket(const Step& step);
    Answer accept(const Step& step);
    Answer send(const Step& step, std::size_t size);
    Answer fill(const Step& step);
    Answer receive(const Step& step, std::size_t size);
    Answer drain(const Step& step);
    Answer send_to(const Step& step);
    Answer receive_from(const Step& step);
    Answer close(const Step& step);
    Answer inspect(const Step& step);

    void learn_port(const Step& step);
    Endpoint endpoint_of(const Place& place, Scheme scheme) const;
    std::string path_of(const Place& place) const;
    std::string words_for(const Endpoint& endpoint) const;
    std::string words_for_port(std::uint16_t port) const;
    std::string pattern(int slot, std::size_t size) const;

    Machine& machine_;
    std::string directory_;
    std::array<Slot, kSlotsMax> slots_;
    bool port_repeated_ = false;
};

}  // namespace berth::differential
