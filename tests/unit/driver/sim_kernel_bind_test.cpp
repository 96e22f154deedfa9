// SPDX-License-Identifier: MIT
//
// SimBind: who may have a port that another has, or had. The matrix was measured on Linux 6.18.

#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <ostream>
#include <string>

namespace berth::driver::sim {
namespace {

enum class Old {
    listening,
    time_wait,
    fin_wait_2,
    established,
    close_wait,
    bound,
    shut_down,
    reset,
    peer_closed_first
};
using Reuse = std::optional<SocketOption>;

struct Cell {
    std::string name;
    Old old;
    Reuse old_reuse;
    Reuse new_reuse;
    bool is_free;
};

void PrintTo(const Cell& cell, std::ostream* out) { *out << cell.name; }

const Reuse kNone;
const Reuse kAddress = SocketOption::reuse_address;
const Reuse kPort = SocketOption::reuse_port;

Endpoint unused_place(KernelScene& scene) {
    const auto socket = scene.listener();
    const Endpoint place = scene.where(socket);
    scene.process.close(socket);
    return place;
}

void reuse(KernelScene& scene, Descriptor socket, const Reuse& option) {
    if (!option) return;
    EXPECT_EQ(scene.set(socket, *option, 1), 0);
}

// Brings a socket on a port of 127.0.0.1 into the old state.
Endpoint leave_behind(KernelScene& scene, const Cell& cell) {
    const auto old = scene.tcp();
    reuse(scene, old, cell.old_reuse);
    const Endpoint place = unused_place(scene);
    EXPECT_EQ(scene.process.bind(old, place).errno_value(), 0);
    if (cell.old == Old::bound) return place;
    EXPECT_EQ(scene.process.listen(old, 4).errno_value(), 0);
    if (cell.old == Old::listening) return place;
    if (cell.old == Old::shut_down) {
        EXPECT_EQ(scene.shutdown(old, Shut::both), 0);
        return place;
    }

    const auto [client, server] = scene.connection(old);
    scene.process.close(old);
    const bool is_client_first = cell.old == Old::close_wait || cell.old == Old::peer_closed_first;
    if (is_client_first) scene.process.close(client);
    if (cell.old == Old::reset) scene.reset(server);
    if (cell.old == Old::time_wait || cell.old == Old::fin_wait_2) scene.process.close(server);
    if (cell.old == Old::time_wait) scene.process.close(client);
    if (cell.old == Old::peer_closed_first) scene.process.close(server);
    return place;
}

class SimBindMatrix : public testing::TestWithParam<Cell> {};

TEST_P(SimBindMatrix, AnswersAsLinuxDoes) {
    const Cell& cell = GetParam();
    KernelScene scene;
    const Endpoint place = leave_behind(scene, cell);
    const auto successor = scene.tcp();
    reuse(scene, successor, cell.new_reuse);
    int error = scene.process.bind(successor, place).errno_value();
    if (error == 0) error = scene.process.listen(successor, 4).errno_value();
    EXPECT_EQ(error, cell.is_free ? 0 : EADDRINUSE);
}

std::vector<Cell> cells() {
    struct Row {
        std::string name;
        Old old;
        bool address_suffices, port_suffices, is_always_free;
    };
    const std::vector<Row> rows{
        {"Listening", Old::listening, false, true, false},
        {"TimeWait", Old::time_wait, true, true, false},
        {"FinWait2", Old::fin_wait_2, true, true, false},
        {"Established", Old::established, true, true, false},
        {"CloseWait", Old::close_wait, true, true, false},
        {"Bound", Old::bound, true, true, false},
        {"ShutDown", Old::shut_down, true, true, false},
        {"Reset", Old::reset, true, true, true},
        {"PeerClosedFirst", Old::peer_closed_first, true, true, true},
    };
    const std::vector<std::pair<std::string, Reuse>> flags{
        {"None", kNone}, {"Address", kAddress}, {"Port", kPort}};
    std::vector<Cell> cells;
    for (const auto& row : rows) {
        for (const auto& [old_name, old_reuse] : flags) {
            for (const auto& [new_name, new_reuse] : flags) {
                const bool is_shared =
                    old_reuse && old_reuse == new_reuse &&
                    (old_reuse == kAddress ? row.address_suffices : row.port_suffices);
                cells.push_back({row.name + old_name + new_name, row.old, old_reuse, new_reuse,
                                 is_shared || row.is_always_free});
            }
        }
    }
    return cells;
}

INSTANTIATE_TEST_SUITE_P(All, SimBindMatrix, testing::ValuesIn(cells()),
                         [](const auto& cell) { return cell.param.name; });

TEST(SimBind, SecondBindOfASocketIsInvalid) {
    KernelScene scene;
    const auto socket = scene.tcp();
    EXPECT_EQ(scene.bind(socket, "tcp4://127.0.0.1:0"), 0);
    EXPECT_EQ(scene.bind(socket, "tcp4://127.0.0.1:0"), EINVAL);
}

TEST(SimBind, AddressesOfOthersAndOfTheWrongFamilyAreRefused) {
    KernelScene scene;
    EXPECT_EQ(scene.bind(scene.tcp(), "tcp4://10.9.8.7:0"), EADDRNOTAVAIL);
    EXPECT_EQ(scene.bind(scene.tcp(Family::v6), "tcp6://[2001::5]:0"), EADDRNOTAVAIL);
    EXPECT_EQ(scene.bind(scene.tcp(), "tcp6://[::1]:0"), EAFNOSUPPORT);
    EXPECT_EQ(scene.bind(scene.tcp(Family::v6), "tcp4://127.0.0.1:0"), EINVAL);
}

TEST(SimBind, WildcardStandsInTheWayOfEveryAddress) {
    KernelScene scene;
    const auto port = scene.where(scene.listener("tcp4://0.0.0.0:0")).port();
    EXPECT_EQ(scene.process.bind(scene.tcp(), loopback(port)).errno_value(), EADDRINUSE);
    const std::string everywhere = "tcp://[::]:" + std::to_string(port);
    EXPECT_EQ(scene.bind(scene.tcp(Family::v6), everywhere), EADDRINUSE);
    const auto v6_only = scene.tcp(Family::v6);
    EXPECT_EQ(scene.set(v6_only, SocketOption::v6_only, 1), 0);
    EXPECT_EQ(scene.bind(v6_only, everywhere), 0);
}

TEST(SimBind, TwoAddressesShareAPort) {
    KernelScene scene;
    const auto port = scene.where(scene.listener()).port();
    EXPECT_EQ(scene.process.bind(scene.tcp(), loopback(port, 2)).errno_value(), 0);
}

TEST(SimBind, OfTwoThatAreBoundTheSecondCannotListen) {
    KernelScene scene;
    const auto first = scene.tcp();
    const auto second = scene.tcp();
    for (const auto socket : {first, second}) {
        EXPECT_EQ(scene.set(socket, SocketOption::reuse_address, 1), 0);
    }
    EXPECT_EQ(scene.bind(first, "tcp4://127.0.0.1:0"), 0);
    EXPECT_EQ(scene.process.bind(second, scene.where(first)).errno_value(), 0);
    EXPECT_EQ(scene.process.listen(first, 4).errno_value(), 0);
    EXPECT_EQ(scene.process.listen(second, 4).errno_value(), EADDRINUSE);
    EXPECT_EQ(scene.poll(second), "out hup");
}

TEST(SimBind, SourcePortOfAConnectionIsTaken) {
    KernelScene scene;
    const auto client = scene.client_of(scene.listener());
    const auto other = scene.tcp();
    EXPECT_EQ(scene.set(other, SocketOption::reuse_address, 1), 0);
    EXPECT_EQ(scene.process.bind(other, scene.where(client)).errno_value(), EADDRINUSE);
}

TEST(SimBind, ExclusiveStartThenShards) {
    KernelScene scene;
    const auto first = scene.listener();
    EXPECT_EQ(scene.set(first, SocketOption::reuse_port, 1), 0);
    const auto intruder = scene.tcp();
    EXPECT_EQ(scene.process.bind(intruder, scene.where(first)).errno_value(), EADDRINUSE);
    const auto shard = scene.tcp();
    EXPECT_EQ(scene.set(shard, SocketOption::reuse_port, 1), 0);
    EXPECT_EQ(scene.process.bind(shard, scene.where(first)).errno_value(), 0);
    EXPECT_EQ(scene.process.listen(shard, 64).errno_value(), 0);
}

TEST(SimBind, NewConnectionOfThePeerEndsATimeWait) {
    KernelScene scene;
    const auto listener = scene.listener();
    const Endpoint place = unused_place(scene);
    const auto connect_from_place = [&] {
        const auto client = scene.tcp();
        EXPECT_EQ(scene.process.bind(client, place).errno_value(), 0);
        EXPECT_EQ(scene.connect(client, scene.where(listener)), EINPROGRESS);
        return client;
    };
    const auto first = connect_from_place();
    scene.process.close(scene.accept(listener));
    scene.process.close(first);
    EXPECT_EQ(scene.kernel.time_wait_rows(), 1U);

    const auto second = connect_from_place();
    EXPECT_EQ(scene.poll(second), "out");
    EXPECT_EQ(scene.poll(listener), "in");
    EXPECT_EQ(scene.kernel.time_wait_rows(), 0U);
}

TEST(SimBind, ConnectionOverATimeWaitTakesItsPlace) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto client = scene.tcp();
    EXPECT_EQ(scene.set(client, SocketOption::reuse_address, 1), 0);
    EXPECT_EQ(scene.bind(client, "tcp4://127.0.0.1:0"), 0);
    const Endpoint place = scene.where(client);
    EXPECT_EQ(scene.connect(client, scene.where(listener)), EINPROGRESS);
    scene.process.close(client);
    scene.process.close(scene.accept(listener));
    EXPECT_EQ(scene.kernel.time_wait_rows(), 1U);

    const auto again = scene.tcp();
    EXPECT_EQ(scene.set(again, SocketOption::reuse_address, 1), 0);
    EXPECT_EQ(scene.process.bind(again, place).errno_value(), 0);
    EXPECT_EQ(scene.connect(again, scene.where(listener)), EINPROGRESS);
    EXPECT_EQ(scene.poll(again), "out");
    EXPECT_EQ(scene.kernel.time_wait_rows(), 0U);
}

}  // namespace
}  // namespace berth::driver::sim
