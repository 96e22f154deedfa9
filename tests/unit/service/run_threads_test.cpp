// SPDX-License-Identifier: MIT
//
// run(): an engine with its attendants, in this process: signals raised at it, a service manager
// that listens, and afterwards everything as it was.
//
// Method: an engine without listeners; a handler that raises signals and blocks loops.

#include "support/eventually.hpp"
#include "support/notify_receiver.hpp"
#include "support/temp_dir.hpp"

#include <berth/clock.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/handler.hpp>
#include <berth/options.hpp>
#include <berth/run.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>

namespace berth {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::span<const std::string> kNowhere;

Options with_loops(unsigned count) {
    Options options;
    options.loops = count;
    return options;
}

void ignore(int) {}

// Raises a signal as soon as its loop runs.
struct Raising : EventHandler {
    explicit Raising(int number) : signal(number) {}
    void on_loop_start(EventLoop&) override { std::raise(signal); }
    int signal;
};

TEST(Run, StopsBySignalAndSaysByWhich) {
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT}) {
        Raising handler(signal);
        const RunResult result = run(handler, kNowhere, with_loops(1));
        ASSERT_TRUE(result.started());
        EXPECT_EQ(result.report().requested_by, "signal " + std::to_string(signal));
        EXPECT_EQ(result.exit_code(), 0);
    }
}

TEST(Run, GivesEverySignalItsEarlierActionBack) {
    constexpr std::array kAll{SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2, SIGPIPE, SIGCHLD};
    for (const int signal : kAll) std::signal(signal, ignore);
    Raising handler(SIGTERM);
    EXPECT_TRUE(run(handler, kNowhere, with_loops(1)).started());
    for (const int signal : kAll) {
        EXPECT_EQ(std::signal(signal, SIG_DFL), &ignore) << signal;
    }
}

TEST(Run, LeavesPipesAndChildrenToTheProgram) {
    struct Looking : EventHandler {
        void on_boot(Engine& engine) override {
            for (const int signal : {SIGPIPE, SIGCHLD, SIGUSR1}) {
                const auto action = std::signal(signal, SIG_DFL);
                EXPECT_EQ(action, SIG_DFL) << signal;
            }
            engine.request_stop();
        }
    } handler;
    EXPECT_TRUE(run(handler, kNowhere, with_loops(1)).started());
}

TEST(Run, TouchesNoSignalWhereItIsNotAskedTo) {
    struct Looking : EventHandler {
        void on_boot(Engine& engine) override {
            EXPECT_EQ(std::signal(SIGTERM, SIG_DFL), SIG_DFL);
            engine.request_stop();
        }
    } handler;
    EXPECT_TRUE(run(handler, kNowhere, with_loops(1), {.signals = false}).started());
}

TEST(Run, ReloadsAtHangUpAndOutlivesAHandlerThatThrowsThere) {
    struct Reloading final : Raising {
        using Raising::Raising;
        void on_reload(Engine& engine) override {
            if (++reloads == 2) return engine.request_stop();
            std::raise(SIGHUP);
            throw std::runtime_error("no such file");
        }
        int reloads = 0;
    } handler(SIGHUP);
    const RunResult result = run(handler, kNowhere, with_loops(1));
    ASSERT_TRUE(result.started());
    EXPECT_EQ(handler.reloads, 2);
}

TEST(Run, SaysWhatAnotherRunInThisProcessHas) {
    struct Nested final : EventHandler {
        void on_boot(Engine& engine) override {
            struct Stopping : EventHandler {
                void on_boot(Engine& inside) override { inside.request_stop(); }
            } stopping;
            EXPECT_TRUE(run(stopping, kNowhere, with_loops(1)).started()) << "without signals";
            engine.request_stop();
        }
    } handler;
    EXPECT_TRUE(run(handler, kNowhere, with_loops(1)).started());
}

// A loop that is blocked until it is let go.
struct Blocking final : EventHandler {
    Duration on_tick(EventLoop& loop) override {
        if (loop.index() == 1) is_let_go.wait(false);
        return kNever;
    }
    std::atomic<bool> is_let_go{false};
};

TEST(Run, StarvesTheWatchdogWhileALoopIsStuck) {
    const test::TempDir folder;
    test::NotifyReceiver manager(folder.file("notify"));
    ::setenv("NOTIFY_SOCKET", folder.file("notify").c_str(), 1);
    ::setenv("WATCHDOG_USEC", "200000", 1);
    Blocking handler;
    std::jthread server([&] { run(handler, kNowhere, with_loops(2)); });
    ASSERT_TRUE(manager.hears("READY=1"));

    auto fed_at = std::chrono::steady_clock::now();
    const auto is_starved = [&] {
        const auto now = std::chrono::steady_clock::now();
        if (manager.receive_now() == "WATCHDOG=1") fed_at = now;
        return now - fed_at > 500ms;  // where it is fed, it is every 100 ms
    };
    EXPECT_TRUE(test::eventually(is_starved));
    handler.is_let_go = true;
    handler.is_let_go.notify_all();
    EXPECT_TRUE(manager.hears("WATCHDOG=1")) << "and is fed again";
    std::raise(SIGTERM);
    server.join();
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
}

TEST(Run, ServesOnWhenARestartCannotBegin) {
    const test::TempDir folder;
    test::NotifyReceiver manager(folder.file("notify"));
    ::setenv("NOTIFY_SOCKET", folder.file("notify").c_str(), 1);
    Raising handler(SIGUSR2);
    std::jthread server([&] {
        run(handler, kNowhere, with_loops(1), {.restart_command = {folder.file("no-program")}});
    });
    EXPECT_TRUE(manager.hears("RELOADING=1"));
    EXPECT_TRUE(manager.hears("READY=1\nSTATUS=the restart failed"));
    std::raise(SIGTERM);
    server.join();
    EXPECT_TRUE(manager.hears("STATUS=stopped clean"));
    ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace berth
