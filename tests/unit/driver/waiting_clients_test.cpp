// SPDX-License-Identifier: MIT
//
// waiting_clients: as many as a TCP listener tells; where it does not tell, accepts go on until
// the kernel refuses.

#include "driver/waiting_clients.hpp"

#include "driver/driver.hpp"
#include "unit/driver/kernel_system_scene.hpp"

#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <array>

namespace berth::driver {
namespace {

using test::of;
using test::parsed;

class WaitingClients : public test::RealSystem {
protected:
    static Listener at(const os::OwnedDescriptor& socket) {
        Listener listener;
        listener.descriptor = of(socket);
        return listener;
    }
};

TEST_F(WaitingClients, AreAsManyAsTheListenerTells) {
    const auto socket = listening(parsed("tcp://127.0.0.1:0"));
    Listener listener = at(socket);
    const Endpoint endpoint = local(socket, Scheme::tcp);
    const std::array clients{connected_to(endpoint), connected_to(endpoint),
                             connected_to(endpoint)};
    EXPECT_EQ(waiting_clients(listener), clients.size());
    EXPECT_TRUE(listener.tells_waiting);
}

// gVisor says 0 whoever waits: nobody may be left behind.
TEST_F(WaitingClients, NoneMeansThatItIsTried) {
    const auto socket = listening(parsed("tcp://127.0.0.1:0"));
    Listener listener = at(socket);
    EXPECT_EQ(waiting_clients(listener), kUntilRefused);
    EXPECT_TRUE(listener.tells_waiting);
}

TEST_F(WaitingClients, AUnixListenerIsAskedOnce) {
    const auto socket = listening(at_path);
    Listener listener = at(socket);
    EXPECT_EQ(waiting_clients(listener), kUntilRefused);
    EXPECT_FALSE(listener.tells_waiting);
}

}  // namespace
}  // namespace berth::driver
