// SPDX-License-Identifier: MIT
//
// BindMatrix: who keeps whom from a port: every cell, on Linux and on the simulated kernel.
//
// See:       docs/internals/testing.md; inet_bind_conflict() in net/ipv4/inet_connection_sock.c.

#include "differential/machine.hpp"
#include "differential/network.hpp"
#include "differential/player.hpp"
#include "differential/real_machine.hpp"
#include "differential/simulated_machine.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>

namespace berth::differential {
namespace {

// ── The two kernels ──────────────────────────────────────────────────────────────────────────

enum class Which : std::uint8_t { real, simulated };

std::ostream& operator<<(std::ostream& out, Which which) {
    return out << (which == Which::real ? "Linux" : "Simulated");
}

std::unique_ptr<Machine> make(Which which) {
    if (which == Which::simulated) return std::make_unique<SimulatedMachine>(1);
    static const bool is_alone = enter_fresh_network();
    static_cast<void>(is_alone);  // else on this machine's loopback: ports are the kernel's choice
    return std::make_unique<RealMachine>();
}

// The option that says "reuse", if any.
enum class Flag : std::uint8_t { none, reuse_address, reuse_port };
constexpr std::array kFlags{Flag::none, Flag::reuse_address, Flag::reuse_port};

// What a server that starts learns.
enum class Start : std::uint8_t { works, bind_fails, listen_fails };

std::ostream& operator<<(std::ostream& out, Start start) {
    constexpr std::array kWords{"works", "bind fails", "listen fails"};
    return out << kWords[static_cast<std::size_t>(start)];
}

Endpoint tcp(const char* address, std::uint16_t port = 0) {
    auto endpoint = Endpoint::parse(std::string{"tcp://"} + address + ":0").value();
    IpEndpoint ip = endpoint.ip();
    ip.port = port;
    return {Scheme::tcp, ip};
}

class Lab {
public:
    explicit Lab(Which which) : machine_(make(which)) {}

    Machine& machine() { return *machine_; }

    Descriptor socket(Flag flag, Family family = Family::v4, Kind kind = Kind::stream) {
        const Descriptor made = machine_->socket(family, kind).value();
        give(made, flag);
        return made;
    }
    void give(Descriptor socket, Flag flag) {
        if (flag == Flag::reuse_address) set(socket, SocketOption::reuse_address, 1);
        if (flag == Flag::reuse_port) set(socket, SocketOption::reuse_port, 1);
    }
    void set(Descriptor socket, SocketOption option, int value) {
        EXPECT_EQ(machine_->set(socket, option, value).errno_value(), 0);
    }
    Start start(Descriptor socket, const Endpoint& at) {
        const int bound = machine_->bind(socket, at).errno_value();
        if (bound != 0) return refused(bound, Start::bind_fails);
        return listen(socket);
    }
    Start listen(Descriptor socket) {
        const int listening = machine_->listen(socket, 8).errno_value();
        return listening == 0 ? Start::works : refused(listening, Start::listen_fails);
    }
    // A port that nobody has. A server names its port; one that the kernel chose is given back
    // by shutdown(2) already.
    std::uint16_t free_port() {
        const Descriptor probe = socket(Flag::none);
        EXPECT_EQ(machine_->bind(probe, tcp("127.0.0.1")).errno_value(), 0);
        const std::uint16_t port = port_of(probe);
        machine_->close(probe);
        return port;
    }
    std::uint16_t port_of(Descriptor socket) {
        return machine_->local_endpoint(socket, Scheme::tcp).value().port();
    }
    Descriptor connect_to(std::uint16_t port) {
        const Descriptor client = socket(Flag::none);
        EXPECT_EQ(name_of_error(machine_->connect(client, tcp("127.0.0.1", port)).errno_value()),
                  "EINPROGRESS");
        return client;
    }

private:
    static Start refused(int error, Start start) {
        EXPECT_EQ(name_of_error(error), "EADDRINUSE");
        return start;
    }

    std::unique_ptr<Machine> machine_;
};

// ── What the predecessor left at 127.0.0.1, and who may start there ──────────────────────────

enum class Left : std::uint8_t {
    listening,
    bound,
    shut_down,  // a listener, after shutdown(2)
    established,
    close_wait,
    fin_wait2,  // an orphan: closed here, open at the peer
    time_wait,
    was_reset,         // closed with SO_LINGER {1, 0}
    peer_closed_first  // nothing
};

class Predecessor {
public:
    Predecessor(Lab& lab, Left left, Flag flag)
        : lab_(lab), machine_(lab.machine()), port_(lab.free_port()) {
        listener_ = lab.socket(flag);
        leave(left);
    }
    std::uint16_t port() const { return port_; }

private:
    void leave(Left left) {
        EXPECT_EQ(machine_.bind(listener_, tcp("127.0.0.1", port_)).errno_value(), 0);
        if (left == Left::bound) return;
        EXPECT_EQ(lab_.listen(listener_), Start::works);
        if (left == Left::listening) return;
        if (left == Left::shut_down) {
            EXPECT_EQ(machine_.shutdown(listener_, Shut::both).errno_value(), 0);
            return;
        }
        client_ = lab_.connect_to(port_);
        server_ = machine_.accept(listener_).value().descriptor;
        machine_.close(listener_);
        leave_connection(left);
    }
    void leave_connection(Left left) {
        switch (left) {
            case Left::close_wait:
                EXPECT_EQ(machine_.shutdown(client_, Shut::sending).errno_value(), 0);
                break;
            case Left::time_wait:
                machine_.close(server_);
                machine_.close(client_);
                break;
            case Left::was_reset:
                lab_.set(server_, SocketOption::linger_reset, 0);
                machine_.close(server_);
                break;
            case Left::fin_wait2: machine_.close(server_); break;
            case Left::peer_closed_first:
                machine_.close(client_);
                machine_.close(server_);
                break;
            default: break;
        }
    }

    Lab& lab_;
    Machine& machine_;
    std::uint16_t port_;
    Descriptor listener_ = Descriptor::none;
    Descriptor client_ = Descriptor::none;
    Descriptor server_ = Descriptor::none;
};

struct Row {
    const char* name;
    Left left;
    // [flag of the old][flag of the new]
    std::array<std::array<Start, 3>, 3> expected;
};

constexpr Start kNo = Start::bind_fails;
constexpr Start kYes = Start::works;
constexpr std::array<std::array<Start, 3>, 3> kFree{
    {{kYes, kYes, kYes}, {kYes, kYes, kYes}, {kYes, kYes, kYes}}};
// The same flag must have been given to both.
constexpr std::array<std::array<Start, 3>, 3> kSameFlag{
    {{kNo, kNo, kNo}, {kNo, kYes, kNo}, {kNo, kNo, kYes}}};
constexpr std::array<std::array<Start, 3>, 3> kShared{
    {{kNo, kNo, kNo}, {kNo, kNo, kNo}, {kNo, kNo, kYes}}};

constexpr std::array kRows{
    Row{"Listening", Left::listening, kShared},
    Row{"Bound", Left::bound, kSameFlag},
    Row{"ShutDown", Left::shut_down, kSameFlag},
    Row{"Established", Left::established, kSameFlag},
    Row{"CloseWait", Left::close_wait, kSameFlag},
    Row{"FinWait2", Left::fin_wait2, kSameFlag},
    Row{"TimeWait", Left::time_wait, kSameFlag},
    Row{"Reset", Left::was_reset, kFree},
    Row{"PeerClosedFirst", Left::peer_closed_first, kFree},
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

class BindMatrix : public testing::TestWithParam<std::tuple<Which, Row>> {};

TEST_P(BindMatrix, LetsInWhomItShould) {
    const auto& [which, row] = GetParam();
    for (std::size_t old = 0; old < kFlags.size(); ++old) {
        for (std::size_t young = 0; young < kFlags.size(); ++young) {
            Lab lab{which};
            const Predecessor predecessor{lab, row.left, kFlags[old]};
            const Descriptor socket = lab.socket(kFlags[young]);
            EXPECT_EQ(lab.start(socket, tcp("127.0.0.1", predecessor.port())),
                      row.expected[old][young])
                << "flag of the old socket " << old << ", of the new one " << young;
        }
    }
}

template <class Case>
std::string name_of(const testing::TestParamInfo<std::tuple<Which, Case>>& its) {
    return testing::PrintToString(std::get<0>(its.param)) + std::get<1>(its.param).name;
}

INSTANTIATE_TEST_SUITE_P(Kernels, BindMatrix,
                         testing::Combine(testing::Values(Which::real, Which::simulated),
                                          testing::ValuesIn(kRows)),
                         name_of<Row>);

// ── Two addresses at one port ────────────────────────────────────────────────────────────────

struct Overlap {
    const char* name;
    const char* old_address;
    const char* new_address;
    Start expected;           // of the new one, while the old one listens; with and without
                              // SO_REUSEADDR on both
    bool is_v6_only = false;  // of both, where they are IPv6
};

constexpr std::array kOverlaps{
    Overlap{"AWildcardBlocksAnAddress", "0.0.0.0", "127.0.0.1", kNo},
    Overlap{"AnAddressBlocksTheWildcard", "127.0.0.1", "0.0.0.0", kNo},
    Overlap{"TwoAddressesShare", "127.0.0.1", "127.0.0.2", kYes},
    Overlap{"V4WildcardBlocksDualStack", "0.0.0.0", "[::]", kNo},
    Overlap{"DualStackBlocksV4Wildcard", "[::]", "0.0.0.0", kNo},
    Overlap{"DualStackBlocksAV4Address", "[::]", "127.0.0.1", kNo},
    Overlap{"DualStackBlocksAV6Address", "[::]", "[::1]", kNo},
    Overlap{"V4WildcardSharesWithV6Only", "0.0.0.0", "[::]", kYes, true},
    Overlap{"V6OnlySharesWithV4Wildcard", "[::]", "0.0.0.0", kYes, true},
    Overlap{"V6LoopbackSharesWithV4", "[::1]", "127.0.0.1", kYes},
    Overlap{"AV4AddressBlocksDualStack", "127.0.0.1", "[::]", kNo},
};

std::ostream& operator<<(std::ostream& out, const Overlap& overlap) { return out << overlap.name; }

class BindOverlap : public testing::TestWithParam<std::tuple<Which, Overlap>> {
protected:
    static Descriptor socket_for(Lab& lab, const char* address, Flag flag) {
        const bool is_v6 = tcp(address).ip().family == 6;
        const Descriptor made = lab.socket(flag, is_v6 ? Family::v6 : Family::v4);
        const bool is_v6_only = std::get<1>(GetParam()).is_v6_only;
        if (is_v6) lab.set(made, SocketOption::v6_only, is_v6_only ? 1 : 0);
        return made;
    }
};

TEST_P(BindOverlap, IsAsLinuxDecides) {
    const auto& [which, overlap] = GetParam();
    for (const Flag flag : {Flag::none, Flag::reuse_address}) {
        Lab lab{which};
        const Descriptor first = socket_for(lab, overlap.old_address, flag);
        ASSERT_EQ(lab.start(first, tcp(overlap.old_address)), Start::works);
        const Descriptor second = socket_for(lab, overlap.new_address, flag);
        EXPECT_EQ(lab.start(second, tcp(overlap.new_address, lab.port_of(first))),
                  overlap.expected);
    }
}

INSTANTIATE_TEST_SUITE_P(Kernels, BindOverlap,
                         testing::Combine(testing::Values(Which::real, Which::simulated),
                                          testing::ValuesIn(kOverlaps)),
                         name_of<Overlap>);

// ── What else was measured ───────────────────────────────────────────────────────────────────

class BindFacts : public testing::TestWithParam<Which> {
protected:
    Lab& lab() { return lab_; }
    Machine& machine() { return lab_.machine(); }

private:
    Lab lab_{GetParam()};
};

TEST_P(BindFacts, TheSecondListenFailsWhereBothCouldBind) {
    const Descriptor first = lab().socket(Flag::reuse_address);
    const Descriptor second = lab().socket(Flag::reuse_address);
    ASSERT_EQ(machine().bind(first, tcp("127.0.0.1")).errno_value(), 0);
    ASSERT_EQ(machine().bind(second, tcp("127.0.0.1", lab().port_of(first))).errno_value(), 0);
    EXPECT_EQ(lab().listen(first), Start::works);
    EXPECT_EQ(lab().listen(second), Start::listen_fails);
}

TEST_P(BindFacts, ASourcePortIsNobodyElses) {
    const Descriptor listener = lab().socket(Flag::none);
    ASSERT_EQ(lab().start(listener, tcp("127.0.0.1")), Start::works);
    const Descriptor client = lab().connect_to(lab().port_of(listener));
    for (const Flag flag : kFlags) {
        EXPECT_EQ(lab().start(lab().socket(flag), tcp("127.0.0.1", lab().port_of(client))),
                  Start::bind_fails);
    }
}

TEST_P(BindFacts, AnExclusiveStartCanBeSharedAfterwards) {
    const Descriptor first = lab().socket(Flag::none);
    ASSERT_EQ(machine().bind(first, tcp("127.0.0.1")).errno_value(), 0);
    const Endpoint at = tcp("127.0.0.1", lab().port_of(first));
    EXPECT_EQ(lab().start(lab().socket(Flag::reuse_port), at), Start::bind_fails);
    lab().give(first, Flag::reuse_port);
    EXPECT_EQ(lab().listen(first), Start::works);
    EXPECT_EQ(lab().start(lab().socket(Flag::reuse_port), at), Start::works);
    EXPECT_EQ(lab().start(lab().socket(Flag::none), at), Start::bind_fails);
}

TEST_P(BindFacts, TheLastUdpBinderStealsWithReuseAddress) {
    const Descriptor first = lab().socket(Flag::reuse_address, Family::v4, Kind::datagram);
    const Descriptor second = lab().socket(Flag::reuse_address, Family::v4, Kind::datagram);
    const Descriptor sender = lab().socket(Flag::none, Family::v4, Kind::datagram);
    ASSERT_EQ(machine().bind(first, tcp("127.0.0.1")).errno_value(), 0);
    const Endpoint at = tcp("127.0.0.1", lab().port_of(first));
    ASSERT_EQ(machine().bind(second, at).errno_value(), 0);
    ASSERT_TRUE(machine().send_to(sender, at, as_bytes("mine")));
    EXPECT_FALSE(machine().readiness(first).readable);
    EXPECT_TRUE(machine().readiness(second).readable);
}

TEST_P(BindFacts, AUdpPortIsExclusiveWithoutFlags) {
    const Descriptor first = lab().socket(Flag::none, Family::v4, Kind::datagram);
    ASSERT_EQ(machine().bind(first, tcp("127.0.0.1")).errno_value(), 0);
    const Endpoint at = tcp("127.0.0.1", lab().port_of(first));
    for (const Flag flag : kFlags) {
        const Descriptor second = lab().socket(flag, Family::v4, Kind::datagram);
        EXPECT_EQ(name_of_error(machine().bind(second, at).errno_value()), "EADDRINUSE");
    }
}

INSTANTIATE_TEST_SUITE_P(Kernels, BindFacts, testing::Values(Which::real, Which::simulated),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace berth::differential
