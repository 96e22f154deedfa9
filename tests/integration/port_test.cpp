// SPDX-License-Identifier: MIT
//
// Port truth from inside: what an engine says about an address that it cannot have, and what the
// verification of one that was given back finds.

#include <berth/port.hpp>

#include "driver/kernel_system.hpp"
#include "integration/support_engine.hpp"
#include "net/verification.hpp"
#include "support/raw_port.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <system_error>
#include <thread>

namespace berth::test {
namespace {

// A child that keeps a copy of whatever is open, and does nothing.
class IdleChild {
public:
    IdleChild() {
        EXPECT_EQ(pipe(ends_.data()), 0);
        id_ = fork();
        if (id_ != 0) return;
        close(ends_[1]);
        char byte = 0;
        while (read(ends_[0], &byte, 1) > 0) {
        }
        _exit(0);
    }
    ~IdleChild() {
        for (const int end : ends_) close(end);
        waitpid(id_, nullptr, 0);
    }
    IdleChild(const IdleChild&) = delete;
    IdleChild& operator=(const IdleChild&) = delete;

    pid_t id() const { return id_; }

private:
    std::array<int, 2> ends_{-1, -1};
    pid_t id_ = -1;
};

// ── Engines ──────────────────────────────────────────────────────────────────────────────────

class PortOf : public AnEngine {};

TEST_P(PortOf, EngineIsFoundInTheSameProcess) {
    start();
    const auto port = Engine::diagnose(engine().endpoints()[0].to_string());
    ASSERT_TRUE(port);
    EXPECT_EQ(port->cause, PortCause::same_process) << port->to_string();
    EXPECT_EQ(port->certainty, Certainty::proven);
    ASSERT_FALSE(port->holders.empty());
    EXPECT_EQ(port->holders.front().pid, getpid());
}

TEST_P(PortOf, RefusedStartNamesTheHolderInOneLine) {
    start();
    Script other;
    const auto refused = make_engine(other)->start(engine().endpoints()[0].to_string());
    ASSERT_FALSE(refused);
    const Error& error = refused.error();
    EXPECT_EQ(error.code(), ErrorCode::address_in_use);
    ASSERT_NE(error.port(), nullptr);
    EXPECT_EQ(error.port()->cause, PortCause::same_process);
    const std::string line = error.to_string();
    EXPECT_NE(line.find(" is held by "), std::string::npos) << line;
    EXPECT_NE(line.find("; fix: "), std::string::npos) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
}

TEST_P(PortOf, AddressIsReleasedThoughAChildHasACopyOrTheChildIsNamed) {
    start();
    const std::string address = engine().endpoints()[0].to_string();
    const IdleChild child;
    const StopReport report = stop();
    ASSERT_EQ(report.listeners.size(), 1u);
    const StopReport::Listener& listener = report.listeners[0];
    if (GetParam().family == Family::unix_abstract) {  // a name that goes with its last copy only
        ASSERT_TRUE(listener.port);
        EXPECT_EQ(listener.port->cause, PortCause::inherited_by_child) << listener.cause;
        EXPECT_EQ(listener.port->certainty, Certainty::proven);
        EXPECT_EQ(listener.port->holders.front().pid, child.id());
        return;
    }
    EXPECT_TRUE(listener.released) << listener.cause;
    start(address);
}

BERTH_FOR_EACH_FAMILY(PortOf);

TEST(Diagnosing, ExplainsAnAddressThatDoesNotParse) {
    const auto port = Engine::diagnose("tcp://nonsense");
    ASSERT_FALSE(port);
    EXPECT_EQ(port.error().code(), ErrorCode::invalid_address);
}

// ── Verification ─────────────────────────────────────────────────────────────────────────────

class VerificationOf : public testing::Test {
protected:
    driver::System& system = driver::kernel_system();

    static Endpoint endpoint_of(const OwnedDescriptor& socket) {
        return Endpoint::parse(address_of(socket)).value();
    }
    static ListenerReport settle(net::Verification& verification) {
        while (verification.step()) let_others_run();
        ListenerReport report;
        verification.fill(report);
        return report;
    }
};

TEST_F(VerificationOf, ListenerWithACopyInAChildNamesTheChild) {
    OwnedDescriptor listener = listening();
    const std::uint64_t inode = system.inode(driver::Descriptor{listener.number()}).value();
    net::Verification verification(system, endpoint_of(listener), {inode});
    const IdleChild child;
    listener.close();
    const ListenerReport report = settle(verification);
    EXPECT_FALSE(report.released);
    ASSERT_TRUE(report.port);
    EXPECT_EQ(report.port->cause, PortCause::inherited_by_child) << report.port->to_string();
    EXPECT_EQ(report.port->certainty, Certainty::proven);
    EXPECT_EQ(report.port->holders.front().pid, child.id());
}

TEST_F(VerificationOf, ListenerThatLingersInTheKernelIsTriedAgain) {
    OwnedDescriptor listener = listening();
    net::Verification verification(system, endpoint_of(listener));
    {
        const auto carrier = in_flight(std::move(listener));
        EXPECT_TRUE(verification.step()) << "nobody has it open: it may go by itself";
    }
    EXPECT_TRUE(settle(verification).released);
}

TEST_F(VerificationOf, AddressInUseByAConnectionWithoutReuseSaysSo) {
    OwnedDescriptor listener = listening();
    net::Verification verification(system, endpoint_of(listener));
    const OwnedDescriptor client = connected(port_of(listener));
    OwnedDescriptor server = accepted(listener);
    listener.close();
    server.close();
    const ListenerReport report = settle(verification);
    ASSERT_TRUE(report.port);
    EXPECT_EQ(report.port->cause, PortCause::leftover_no_reuse) << report.port->to_string();
}

// Its listening socket is there for microseconds, again and again, while clients come.
TEST_F(VerificationOf, NeverCompletesAHandshake) {
    OwnedDescriptor listener = listening(0, {.reuse_address = true});
    const Endpoint endpoint = endpoint_of(listener);
    listener.close();
    std::atomic<bool> done = false;
    std::atomic<int> met = 0;
    std::thread clients([&] {
        while (!done) {
            try {
                // Not 127.0.0.1, from which it might connect to itself.
                connected_soon(endpoint.port(), bound(0, {}, "127.0.0.2"));
                ++met;
            } catch (const std::system_error&) {  // refused, or nobody answers
            }
        }
    });
    for (int attempt = 0; attempt < 300; ++attempt) {
        net::Verification verification(system, endpoint);
        EXPECT_TRUE(settle(verification).released);
    }
    done = true;
    clients.join();
    EXPECT_EQ(met, 0);
}

}  // namespace
}  // namespace berth::test
