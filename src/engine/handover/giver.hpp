// SPDX-License-Identifier: MIT
//
// Giver: the running generation, as the next one sees it.
//
// It waits at Options::handover, talks to one successor at a time, and goes with it from stage to
// stage. Until COMMIT it has not stopped for a moment: whatever goes wrong, it forgets the
// successor and goes on. From COMMIT to FINAL it accepts no more, but can at any moment. After
// FINAL it ends as after any stop, and leaves the listeners to the successor.
//
// Lifetime:  part of its Core.
// Threads:   the coordinator's, but for what is marked *any thread*.
// See:       docs/internals/handover.md.

#pragma once

#include "engine/handover/channel.hpp"
#include "engine/handover/counts.hpp"
#include "engine/handover/departure.hpp"
#include "engine/handover/meeting_point.hpp"

#include <berth/clock.hpp>
#include <berth/logger.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::engine::handover {

class Giver {
public:
    Giver(Core& core, Counts& counts);

    // Once ready: waits for successors at `path` (none if empty), taking it over from the
    // generation before if there was one. Who cannot wait there serves on all the same.
    void begin(const std::string& path, bool is_successor);
    void end(std::string_view outcome);

    // By when it wants to be called again at the latest.
    Instant advance();
    void watch(std::vector<int>& into) const;

    // Does a successor accept?
    bool has_committed() const { return stage_ >= Stage::probation; }

    // ── Any thread ───────────────────────────────────────────────────────────────────────────
    // One successor at a time: who has reserved may make one, and then offers, or releases.
    bool reserve() { return !is_busy_.exchange(true); }
    void release() { is_busy_.store(false); }
    bool is_busy() const { return is_busy_.load(); }
    // The successor is at the other end of `channel`.
    void offer_to(driver::Descriptor channel);

private:
    enum class Stage : std::uint8_t {
        alone,
        greeting,    // somebody came; its HELLO is awaited
        offering,    // OFFERs are sent
        adopting,    // ADOPTED is awaited
        booting,     // READY is awaited
        suspending,  // our acceptors are disarmed; then COMMIT
        probation,   // it accepts; we could
        exporting,   // live connections go over; then FINAL
        leaving,     // a stop like any other
    };

    void welcome();
    void meet(driver::Descriptor socket);
    std::string_view reason_to_refuse() const;
    void listen();
    bool obey(const Message& message);
    bool greet(const Hello& hello);
    bool step();
    bool send_offer();
    bool commit();
    bool end_probation();
    bool export_connections();
    bool say_final();
    bool tell_status();

    void enter(Stage stage);
    void lose(std::string_view why);
    void give_up(std::string_view why);
    void roll_back(std::string_view why);
    void wait_again();
    void part();
    void log(LogLevel level, std::string_view step, std::string_view why = {}) const;
    Instant next_look() const;
    bool say(const Message& message, std::span<const driver::Descriptor> attached = {});

    Core& core_;
    Counts& counts_;
    MeetingPoint meeting_point_;
    Channel channel_;
    Departure departure_;
    std::string path_;
    std::atomic<driver::Descriptor> made_{driver::Descriptor::none};  // by offer_to
    std::atomic<bool> is_busy_{false};
    Stage stage_ = Stage::alone;
    std::int64_t successor_ = 0;  // its process
    Instant stage_end_ = Instant::never();
    Instant again_ = Instant::never();  // the channel had no room
    std::vector<OfferedSocket> offered_;
    std::vector<driver::Descriptor> sockets_;  // of offered_
    std::size_t sent_ = 0;                     // of these
    std::uint64_t told_ = 0;                   // connections, by the last DRAIN_STATUS
    Instant next_status_;
};

}  // namespace berth::engine::handover
