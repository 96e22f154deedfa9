// SPDX-License-Identifier: MIT
//
// Verification and TeardownPatience: how long they try, and what they say in the end.
//
// Method: a kernel by script, on a clock that the test moves.

#include "net/verification.hpp"

#include "net/port_diagnosis.hpp"
#include "port_evidence.hpp"
#include "scripted_system.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace berth::net::scripted {
namespace {

using driver::SocketState;
using std::chrono_literals::operator""ms;

class Verifying : public testing::Test {
protected:
    ScriptedSystem system;
    Endpoint endpoint = tcp("127.0.0.1");
    std::vector<std::uint64_t> once_ours;

    void hold() { system.rows = {row(SocketState::listening, "127.0.0.1", 7)}; }

    // Steps until it is settled, with time passing as asked for.
    ListenerReport verify() {
        Verification verification(system, endpoint, once_ours);
        while (const auto again = verification.step()) system.time = *again;
        ListenerReport report{.endpoint = endpoint, .quiesce = {}, .listened = {}, .cause = {}};
        verification.fill(report);
        EXPECT_EQ(report.released, verification.is_released());
        EXPECT_EQ(system.open, 0);
        return report;
    }
};

TEST_F(Verifying, ReleasesAnAddressThatBindsAndListens) {
    const ListenerReport report = verify();
    EXPECT_TRUE(report.released);
    EXPECT_EQ(report.listened, "proven");
    EXPECT_EQ(report.cause, "");
    EXPECT_EQ(report.port, std::nullopt);
}

// One address may take longer than its neighbours, which are asked along with it.
TEST_F(Verifying, IsNotTriedAgainOnceSettled) {
    Verification verification(system, endpoint);
    EXPECT_EQ(verification.step(), std::nullopt);
    hold();
    EXPECT_EQ(verification.step(), std::nullopt);
    EXPECT_TRUE(verification.is_released());
}

TEST_F(Verifying, ListensOnlyBehindAFilter) {
    system.allows_filter = false;
    const ListenerReport report = verify();
    EXPECT_TRUE(report.released);
    EXPECT_EQ(report.listened, "not_tried");
    EXPECT_FALSE(system.has_listened);
}

TEST_F(Verifying, NamesAHolderAtOnce) {
    hold();
    system.owners = {holder(kOther, 7, "nginx")};
    const ListenerReport report = verify();
    EXPECT_FALSE(report.released);
    ASSERT_TRUE(report.port);
    EXPECT_EQ(report.port->cause, PortCause::live_listener);
    EXPECT_NE(report.cause.find("is held by nginx (pid 4711"), std::string::npos) << report.cause;
    EXPECT_EQ(system.time, Instant{});
}

TEST_F(Verifying, RecognisesACopyOfOurs) {
    hold();
    system.owners = {holder(kChild, 7)};
    once_ours = {7};
    const ListenerReport report = verify();
    ASSERT_TRUE(report.port);
    EXPECT_EQ(report.port->cause, PortCause::inherited_by_child);
    EXPECT_EQ(report.port->certainty, Certainty::proven);
}

TEST_F(Verifying, WaitsForAProcessThatIsTakenApart) {
    hold();
    system.gone_at = Instant{11ms};
    EXPECT_TRUE(verify().released);
    EXPECT_EQ(system.time, Instant{11ms});
}

TEST_F(Verifying, GivesUpOnWhatNobodySeemsToHold) {
    hold();
    const ListenerReport report = verify();
    EXPECT_FALSE(report.released);
    ASSERT_TRUE(report.port);
    EXPECT_EQ(report.port->cause, PortCause::holder_hidden);
    EXPECT_EQ(system.time, Instant{kTeardown});
}

TEST_F(Verifying, SaysWhyABindIsRefusedByItself) {
    endpoint = tcp("127.0.0.1");
    system.bind_errno = EADDRNOTAVAIL;
    const ListenerReport report = verify();
    EXPECT_FALSE(report.released);
    EXPECT_NE(report.cause.find("EADDRNOTAVAIL"), std::string::npos) << report.cause;
    EXPECT_EQ(report.port, std::nullopt);
}

TEST_F(Verifying, NeverBindsAUnixPath) {
    endpoint = Endpoint(Scheme::unix_stream, "/run/app.sock");
    EXPECT_TRUE(verify().released);
    EXPECT_EQ(system.binds, 0);
}

TEST_F(Verifying, FindsAPathThatWasLeft) {
    endpoint = Endpoint(Scheme::unix_stream, "/run/app.sock");
    system.path = {.kind = driver::PathFacts::Kind::socket, .device = 1, .inode = 5};
    const ListenerReport report = verify();
    EXPECT_FALSE(report.released);
    ASSERT_TRUE(report.port);
    EXPECT_EQ(report.port->cause, PortCause::stale_unix_path);
}

// ── Starting ─────────────────────────────────────────────────────────────────────────────────

class Patience : public Verifying {
protected:
    // How many binds it took; time passes with each.
    int binds_until_settled() {
        TeardownPatience patience(system, endpoint);
        int binds = 1;
        for (; patience.lasts(system.refusal()); ++binds) system.time = system.time + 1ms;
        return binds;
    }
};

TEST_F(Patience, IsNotNeededWhereABindSucceeds) { EXPECT_EQ(binds_until_settled(), 1); }

TEST_F(Patience, HasNoneWithAHolder) {
    hold();
    system.owners = {holder(kOther, 7)};
    EXPECT_EQ(binds_until_settled(), 1);
}

TEST_F(Patience, LastsWhileAProcessIsTakenApart) {
    hold();
    system.gone_at = Instant{11ms};
    EXPECT_EQ(binds_until_settled(), 12);
}

TEST_F(Patience, EndsWithTheTeardown) {
    hold();
    EXPECT_EQ(binds_until_settled(), 1 + kTeardown / 1ms);
    const Error error = with_holder(system, endpoint, Error::from_errno("bind", EADDRINUSE));
    ASSERT_NE(error.port(), nullptr);
    EXPECT_EQ(error.port()->cause, PortCause::holder_hidden);
}

TEST_F(Patience, EndsWhereTimeStandsStill) {
    hold();
    TeardownPatience patience(system, endpoint);
    int binds = 1;
    while (patience.lasts(EADDRINUSE)) ++binds;
    EXPECT_GT(binds, 1);
}

TEST_F(Patience, LeavesOtherErrorsAsTheyAre) {
    const Error error = with_holder(system, endpoint, Error::from_errno("bind", EACCES));
    EXPECT_EQ(error.port(), nullptr);
}

}  // namespace
}  // namespace berth::net::scripted
