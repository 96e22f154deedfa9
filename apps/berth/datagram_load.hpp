// SPDX-License-Identifier: MIT
//
// DatagramLoad: the load of `berth load udp://…`.
//
// A flow is a socket of its own that keeps `depth` requests in flight. A request that is not
// answered in time is lost: counted, and asked anew. A loss is no error; an answer with other
// bytes than were sent is one, and so is a flow that hears nothing at all.
//
// Lifetime:  one run of its engine.
// Threads:   each flow is its loop's; the result is for after the run.

#pragma once

#include "cpu_meter.hpp"
#include "load_result.hpp"
#include "pattern.hpp"
#include "progress.hpp"

#include <berth/clock.hpp>
#include <berth/datagram.hpp>
#include <berth/event_loop.hpp>
#include <berth/handler.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth::app {

class DatagramLoad final : public EventHandler {
public:
    // The number of a request, at its beginning.
    static constexpr std::size_t kSizeMin = sizeof(std::uint64_t);
    static constexpr std::size_t kSizeMax = 65'507;

    explicit DatagramLoad(const LoadSettings& settings);

    // What its engine listens on: a port for each flow.
    std::vector<std::string> addresses() const;

    void on_boot(Engine& engine) override;
    void on_loop_start(EventLoop& loop) override;
    void on_datagram(Datagram& datagram) override;
    Duration on_tick(EventLoop& loop) override;
    void on_shutdown(const StopReport&) override { progress_->erase(); }

    LoadResult result() const;

private:
    struct Slot {
        std::uint64_t number = 0;
        Instant asked_at{};
        bool is_open = false;
    };
    struct Flow {
        std::vector<Slot> slots;
        std::uint64_t asked = 0;
        std::uint64_t answered = 0;
        bool is_corrupt = false;
    };
    struct PerLoop {
        Tally tally;
        std::vector<std::byte> request;
        std::optional<Instant> began_at;
        std::optional<Instant> counted_from;
        std::atomic<std::uint64_t> answered = 0;
        std::atomic<bool> is_done = false;  // nothing is asked any more, nothing is owed
    };

    bool is_over(const PerLoop& here, Instant now) const;
    void ask(EventLoop& loop, std::size_t flow, std::size_t slot);
    bool is_answer(const Datagram& datagram, const Flow& flow, std::uint64_t& number) const;
    bool look_after(EventLoop& loop, std::size_t flow);
    void watch(Engine& engine, Instant now);

    const LoadSettings& settings_;
    Pattern pattern_;
    std::vector<Flow> flows_;  // by listener
    std::vector<std::unique_ptr<PerLoop>> by_loop_;
    std::optional<Progress> progress_;
    std::optional<CpuMeter> meter_;
};

}  // namespace berth::app
