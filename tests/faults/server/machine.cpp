// SPDX-License-Identifier: MIT
//
// machine: one question after the other, whatever becomes of those before.

#include "faults/server/machine.hpp"

#include "driver/descriptor.hpp"
#include "driver/kernel_system.hpp"
#include "driver/system.hpp"
#include "os/calls.hpp"
#include "os/cpus.hpp"
#include "os/spawn.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace berth::test {
namespace {

using driver::Descriptor;
using driver::System;

void receive_from(System& system, Descriptor far) {
    std::array<std::byte, 16> room{};
    const auto message = system.receive_message(far, room);
    if (!message) return;
    for (const Descriptor descriptor : message->attached) system.close(descriptor);
}

// As two generations do.
void talk_to_a_successor(System& system) {
    const auto pair = system.message_pair();
    if (!pair) return;
    const auto [near, far] = *pair;
    static_cast<void>(system.peer_credentials(near));
    static_cast<void>(system.send_message(near, as_bytes("hello"), std::array{near, far}));
    receive_from(system, far);
    if (const auto copy = system.duplicate(near)) system.close(*copy);
    // A program that is not there: one that is would make calls of its own.
    static_cast<void>(os::spawn(std::array{std::string("/dev/null/none")}, "BERTH_TEST=1", 2));
    system.close(near);
    system.close(far);
}

void move_a_path(System& system, const std::string& path) {
    const Endpoint endpoint{Scheme::unix_packet, path + "~"};
    const auto socket = system.open_socket(endpoint);
    if (!socket) return;
    if (system.bind(*socket, endpoint)) {
        static_cast<void>(system.permit(endpoint.name(), 0600));
        static_cast<void>(system.rename(endpoint.name(), endpoint.name() + "~"));
    }
    static_cast<void>(system.unlink(endpoint.name() + "~"));
    static_cast<void>(system.unlink(endpoint.name()));
    system.close(*socket);
}

// Not the holders of a socket, which takes as many calls as this machine has descriptors.
void look_at_itself(System& system) {
    static_cast<void>(os::read_link("/proc/self/exe"));
    static_cast<void>(system.user_name(system.user_id()));
    static_cast<void>(system.process_id());
}

}  // namespace

void ask_machine(Board& board) {
    System& system = driver::kernel_system();
    if (os::usable_cpus() == 0) std::abort();
    system.random();
    look_at_itself(system);
    talk_to_a_successor(system);
    move_a_path(system, std::string(board.path.text()));
    const auto zoned = Endpoint::parse("tcp://[fe80::1%lo]:0");
    if (!zoned) return board.machine_error.set(zoned.error());
    if (!zoned->to_string().starts_with("tcp://[fe80::1%")) std::abort();
}

}  // namespace berth::test
