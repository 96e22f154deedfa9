// SPDX-License-Identifier: MIT
//
// Port causes: each from its evidence.
//
// Method: rows and holders made by hand; the decision is a function of them.

#include "net/port_diagnosis_decision.hpp"
#include "port_evidence.hpp"

#include <berth/port.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <string>

namespace berth::net::scripted {
namespace {

using driver::SocketState;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using testing::Test;

class PortCauses : public Test {
protected:
    PortEvidence evidence = refused(tcp("127.0.0.1"));

    void add(const driver::SocketRow& row) { evidence.rows->push_back(row); }
    void add(const driver::SocketHolder& holder) { evidence.holders.push_back(holder); }
    void add_listener(std::uint64_t inode, std::uint32_t uid = kOurUser,
                      std::string_view address = "127.0.0.1") {
        auto listener = row(SocketState::listening, address, inode);
        listener.uid = uid;
        add(listener);
    }

    PortDiagnosis decided() const { return decide(evidence).value(); }
    void expect(PortCause cause, Certainty certainty) const {
        const PortDiagnosis port = decided();
        EXPECT_EQ(to_string(port.cause), to_string(cause)) << port.to_string();
        EXPECT_EQ(to_string(port.certainty), to_string(certainty)) << port.to_string();
        EXPECT_FALSE(port.is_free);
        EXPECT_FALSE(port.evidence.empty());
        EXPECT_FALSE(port.remedy.empty());
        const bool names_alternative = port.evidence.find("; or: ") != std::string::npos;
        EXPECT_EQ(names_alternative, certainty == Certainty::likely) << port.evidence;
    }
};

// ── Listeners ────────────────────────────────────────────────────────────────────────────────

TEST_F(PortCauses, ListenerOfAnotherProcessIsLive) {
    add_listener(7);
    add(holder(kOther, 7, "nginx"));
    expect(PortCause::live_listener, Certainty::proven);
    EXPECT_EQ(decided().holders.front().command, "nginx");
    EXPECT_NE(decided().remedy.find("`kill 4711`"), std::string::npos);
}

TEST_F(PortCauses, ListenerBlocksAlsoWhoMayNotBind) {
    evidence.bind_errno = EACCES;
    add_listener(7);
    add(holder(kOther, 7));
    expect(PortCause::live_listener, Certainty::proven);
}

TEST_F(PortCauses, ListenerOfOursIsTheSameProcess) {
    add_listener(7);
    add(holder(kOther, 7));
    add(holder(kUs, 7));
    expect(PortCause::same_process, Certainty::proven);
}

TEST_F(PortCauses, OneOfTwoListenersIsOurs) {
    evidence.endpoint = tcp("[::]");
    add_listener(7, kOtherUser, "127.0.0.2");
    add(holder(kOther, 7));
    add_listener(8);
    add(holder(kUs, 8));
    expect(PortCause::same_process, Certainty::proven);
    EXPECT_EQ(decided().holders.front().pid, kUs);
    EXPECT_EQ(decided().holders.size(), 2u);
}

TEST_F(PortCauses, ListenerOfAChildMayHaveBeenInherited) {
    add_listener(7);
    add(holder(kChild, 7));
    expect(PortCause::inherited_by_child, Certainty::likely);
}

TEST_F(PortCauses, ListenerOfAChildThatWasOursWasInherited) {
    add_listener(7);
    add(holder(kChild, 7));
    evidence.context.once_ours = {7};
    expect(PortCause::inherited_by_child, Certainty::proven);
}

TEST_F(PortCauses, ListenerThatNobodyHasOpenIsOfADyingProcess) {
    add_listener(7);
    expect(PortCause::dying_process, Certainty::likely);
    EXPECT_EQ(decided().retry_after, 50ms);
}

TEST_F(PortCauses, ListenerThatNobodyHasOpenForLongIsHidden) {
    add_listener(7);
    evidence.context.is_settled = true;
    expect(PortCause::holder_hidden, Certainty::likely);
    EXPECT_EQ(decided().retry_after, std::nullopt);
}

TEST_F(PortCauses, ListenerOfAnotherUserIsHidden) {
    add_listener(7, kOtherUser);
    expect(PortCause::holder_hidden, Certainty::likely);
    EXPECT_NE(decided().remedy.find("sudo berth port"), std::string::npos);
}

TEST_F(PortCauses, RootSeesEverybody) {
    evidence.user_id = 0;
    add_listener(7, kOtherUser);
    expect(PortCause::dying_process, Certainty::likely);
}

TEST_F(PortCauses, ListenerOfSystemdIsASocketUnits) {
    add_listener(7);
    add(holder(1, 7, "systemd"));
    expect(PortCause::systemd_socket, Certainty::likely);
}

TEST_F(PortCauses, ListenerOnAWiderAddressOverlaps) {
    add_listener(7, kOurUser, "0.0.0.0");
    add(holder(kOther, 7));
    expect(PortCause::overlap, Certainty::proven);
    EXPECT_NE(decided().evidence.find("tcp://0.0.0.0:8080, which includes this address"),
              std::string::npos);
}

TEST_F(PortCauses, ListenerOnANarrowerAddressOverlaps) {
    evidence.endpoint = tcp("[::]");
    add_listener(7);
    add(holder(kOther, 7));
    expect(PortCause::overlap, Certainty::proven);
    EXPECT_NE(decided().evidence.find("which this address includes"), std::string::npos);
}

TEST_F(PortCauses, TwoListenersOfAnotherUserShareAmongThemselves) {
    for (const std::uint64_t inode : {7U, 8U}) {
        add_listener(inode, kOtherUser);
        add(holder(kOther, inode));
    }
    expect(PortCause::uid_mismatch, Certainty::proven);
    EXPECT_NE(decided().remedy.find("as user 33"), std::string::npos);
}

TEST_F(PortCauses, TwoListenersOfOurUserAreLive) {
    for (const std::uint64_t inode : {7U, 8U}) {
        add_listener(inode);
        add(holder(kOther, inode));
    }
    expect(PortCause::live_listener, Certainty::proven);
}

// ── Others ───────────────────────────────────────────────────────────────────────────────────

TEST_F(PortCauses, SocketThatIsOnlyBoundDoesNotListen) {
    add(row(SocketState::bound_inactive, "127.0.0.1", 7));
    add(holder(kOther, 7));
    expect(PortCause::bound_not_listening, Certainty::proven);
}

TEST_F(PortCauses, SocketThatIsOnlyBoundIsNotAllWhereOthersAre) {
    add(row(SocketState::bound_inactive, "127.0.0.1", 7));
    add(connection(SocketState::time_wait, 0));
    expect(PortCause::bound_not_listening, Certainty::likely);
}

TEST_F(PortCauses, TimeWaitIsALeftover) {
    auto waiting = connection(SocketState::time_wait, 0);
    waiting.timer = 43s;
    add(waiting);
    expect(PortCause::leftover_no_reuse, Certainty::likely);
    EXPECT_EQ(decided().retry_after, 43s);
    EXPECT_EQ(decided().states.front().state, "TIME_WAIT");
    EXPECT_EQ(decided().states.front().timer_max, 43s);
}

TEST_F(PortCauses, OrphanIsALeftoverOfUnknownDuration) {
    add(connection(SocketState::fin_wait1, 0));
    expect(PortCause::leftover_no_reuse, Certainty::likely);
    EXPECT_EQ(decided().retry_after, std::nullopt);
}

TEST_F(PortCauses, ConnectionWithAnOwnerIsAServersStill) {
    add(connection(SocketState::established, 7));
    add(holder(kOther, 7));
    expect(PortCause::leftover_connections, Certainty::likely);
}

TEST_F(PortCauses, ConnectionFromTheClientsRangeIsOutgoing) {
    evidence.ephemeral = {.first = 8000, .last = 9000};
    add(connection(SocketState::established, 7, 443));
    add(holder(kOther, 7, "curl"));
    expect(PortCause::ephemeral_collision, Certainty::likely);
}

TEST_F(PortCauses, ConnectionToAListenerIsOutgoing) {
    add(connection(SocketState::established, 7));
    add(holder(kOther, 7, "curl"));
    evidence.peers_listening = {ip("127.0.0.1", 50'000)};
    expect(PortCause::ephemeral_collision, Certainty::likely);
}

TEST_F(PortCauses, ConnectionThatIsBeingMadeIsOutgoingForCertain) {
    add(connection(SocketState::syn_sent, 7, 443));
    add(holder(kOther, 7, "curl"));
    expect(PortCause::ephemeral_collision, Certainty::proven);
}

TEST_F(PortCauses, ConnectionToItselfIsOne) {
    add(connection(SocketState::established, 7, kPort));
    add(holder(kOther, 7, "wait-for-port"));
    expect(PortCause::self_connect, Certainty::proven);
}

TEST_F(PortCauses, NothingIsProvenWhereTheKernelHidesBoundSockets) {
    evidence.sees_bound = false;
    add(connection(SocketState::established, 7, kPort));
    add(holder(kOther, 7));
    expect(PortCause::self_connect, Certainty::likely);
}

TEST_F(PortCauses, NobodyThereIsUnknown) {
    expect(PortCause::unknown, Certainty::likely);
    EXPECT_EQ(decided().retry_after, 50ms);
}

TEST_F(PortCauses, TablesThatCannotBeReadLeaveItUnknown) {
    evidence.rows.reset();
    expect(PortCause::unknown, Certainty::likely);
    EXPECT_EQ(decided().retry_after, std::nullopt);
}

TEST_F(PortCauses, BindThatIsRefusedForAnotherReasonIsAnError) {
    evidence.bind_errno = EACCES;
    const auto port = decide(evidence);
    ASSERT_FALSE(port);
    EXPECT_EQ(port.error().code(), ErrorCode::permission_denied);
}

TEST_F(PortCauses, BindThatSucceedsMeansFree) {
    evidence.bind_errno = 0;
    add(connection(SocketState::time_wait, 0));
    EXPECT_TRUE(decided().is_free);
    EXPECT_EQ(decided().cause, PortCause::none);
}

// ── Datagrams ────────────────────────────────────────────────────────────────────────────────

class DatagramCauses : public PortCauses {
protected:
    DatagramCauses() { evidence.endpoint = Endpoint(Scheme::udp, ip("127.0.0.1", kPort)); }
    void add_receiver(std::string_view address) {
        add(row(SocketState::closed, address, 7));
        add(holder(kOther, 7));
    }
};

TEST_F(DatagramCauses, ReceiverIsALiveListener) {
    add_receiver("127.0.0.1");
    expect(PortCause::live_listener, Certainty::proven);
    EXPECT_EQ(decided().states.front().state, "UNCONN");
}

TEST_F(DatagramCauses, ReceiverInTheClientsRangeMayBeAClient) {
    evidence.endpoint = Endpoint(Scheme::udp, ip("0.0.0.0", kPort));
    evidence.ephemeral = {.first = 8000, .last = 9000};
    add_receiver("0.0.0.0");
    expect(PortCause::live_listener, Certainty::likely);
}

TEST_F(DatagramCauses, ConnectedSocketIsOutgoing) {
    evidence.ephemeral = {.first = 8000, .last = 9000};
    add(connection(SocketState::established, 7, 53));
    add(holder(kOther, 7));
    expect(PortCause::ephemeral_collision, Certainty::likely);
}

// ── Unix names ───────────────────────────────────────────────────────────────────────────────

class UnixCauses : public PortCauses {
protected:
    static constexpr std::uint64_t kFile = 0x1'0000'0005;  // the tables show 5

    UnixCauses() {
        evidence.endpoint = Endpoint(Scheme::unix_stream, "/run/app.sock");
        evidence.rows.reset();
        evidence.unix_rows.emplace();
        evidence.path = {.kind = driver::PathFacts::Kind::socket, .device = 1, .inode = kFile};
        evidence.path_has_owner = true;
    }
    void add_socket(bool listens, std::uint64_t file = 5, std::uint16_t type = 1) {
        evidence.unix_rows->push_back({.name = evidence.endpoint.name(),
                                       .is_listening = listens,
                                       .type = type,
                                       .inode = 7,
                                       .uid = kOurUser,
                                       .file_device = 1,
                                       .file_inode = file});
        add(holder(kOther, 7));
    }
};

TEST_F(UnixCauses, FileThatIsNoSocketIsAConflict) {
    evidence.path.kind = driver::PathFacts::Kind::other;
    expect(PortCause::path_conflict, Certainty::proven);
}

TEST_F(UnixCauses, SocketWithNobodyBehindIsStale) {
    evidence.path_has_owner = false;
    expect(PortCause::stale_unix_path, Certainty::proven);
}

TEST_F(UnixCauses, SocketThatIsListenedOnIsLive) {
    add_socket(true);
    expect(PortCause::live_listener, Certainty::proven);
}

TEST_F(UnixCauses, ListenerOfAnotherFileOfThatNameIsNotIt) {
    add_socket(true, 6);
    expect(PortCause::holder_hidden, Certainty::likely);
}

TEST_F(UnixCauses, ListenerThatWasRenamedIsKnownByItsFile) {
    add_socket(true);
    evidence.unix_rows->front().name = "/run/app.sock.new";
    expect(PortCause::live_listener, Certainty::proven);
}

TEST_F(UnixCauses, ListenerWithoutAFileIsNotCertain) {
    add_socket(true, 0);
    expect(PortCause::live_listener, Certainty::likely);
}

TEST_F(UnixCauses, AcceptedConnectionsDoNotHideTheListener) {
    add_socket(false);
    add_socket(true);
    expect(PortCause::live_listener, Certainty::proven);
}

TEST_F(UnixCauses, SocketThatIsOnlyBoundDoesNotListen) {
    add_socket(false);
    expect(PortCause::bound_not_listening, Certainty::proven);
}

TEST_F(UnixCauses, AbstractNameOfAnotherTypeIsNotInTheWay) {
    evidence.endpoint = Endpoint(Scheme::unix_stream, "@app");
    evidence.path = {};
    evidence.path_has_owner.reset();
    add_socket(false, 0, 2);
    expect(PortCause::unknown, Certainty::likely);
    evidence.unix_rows->front().type = 1;
    evidence.unix_rows->front().is_listening = true;
    expect(PortCause::live_listener, Certainty::proven);
}

}  // namespace
}  // namespace berth::net::scripted
