// SPDX-License-Identifier: MIT
//
// Schedule: as lines that a person reads.

#include "sim/schedule.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace berth::simulation {

namespace {

template <class Enum, std::size_t kCount>
std::string_view name(Enum value, const std::array<std::string_view, kCount>& names) {
    return names[static_cast<std::size_t>(value)];
}

constexpr std::array<std::string_view, 8> kReplies{"copies",  "takes",     "copies some", "later",
                                                   "on tick", "generates", "swallows",    "holds"};
constexpr std::array<std::string_view, 10> kTroubles{
    "none",  "throws", "Action::close", "Action::shutdown", "request_stop", "close", "close now",
    "reset", "end",    "pause"};
constexpr std::array<std::string_view, 6> kMoments{"on_open",     "on_traffic", "on_end",
                                                   "on_writable", "on_drain",   "on_close"};
constexpr std::array<std::string_view, 3> kAtEnds{"closes", "stays open", "closes later"};
constexpr std::array<std::string_view, 4> kReadings{"reads", "reads slowly", "reads late",
                                                    "never reads"};
constexpr std::array<std::string_view, 6> kFarewells{"stays",  "FIN",  "closes",
                                                     "resets", "dies", "vanishes"};
constexpr std::array<std::string_view, 3> kWorks{"nothing", "briefly", "for ever"};
constexpr std::array<std::string_view, 5> kWhens{"at once", "when sent", "when answered",
                                                 "at the other's FIN", "after"};
constexpr std::array<std::string_view, 5> kCalls{"post", "write", "wake", "close", "loop post"};
constexpr std::array<std::string_view, 3> kModes{"after flush", "now", "reset"};
constexpr std::array<std::string_view, 3> kTargets{"its own listener", "nobody", "the deaf"};

std::string text(Duration duration) {
    if (duration == kNever) return "never";
    std::array<char, 32> room{};
    const double milliseconds = std::chrono::duration<double, std::milli>(duration).count();
    std::snprintf(room.data(), room.size(), "%g ms", milliseconds);
    return room.data();
}

std::string text(const Manners& manners) {
    std::string text = "the handler ";
    text += name(manners.reply, kReplies);
    if (manners.portion != 1) text += " (" + std::to_string(manners.portion) + ")";
    if (manners.greeting != 0) text += ", greets with " + std::to_string(manners.greeting);
    if (manners.flushes) text += ", flushes";
    if (manners.trouble != Trouble::none) {
        text += ", in ";
        text += name(manners.moment, kMoments);
        text += " after " + std::to_string(manners.after) + ": ";
        text += name(manners.trouble, kTroubles);
        if (manners.writes_afterwards) text += " and writes";
    }
    if (manners.work != Work::none) {
        text += ", works ";
        text += name(manners.work, kWorks);
    }
    text += ", at the end ";
    text += name(manners.at_end, kAtEnds);
    text += ", at a stop ";
    text += name(manners.at_drain, kAtEnds);
    return text;
}

std::string text(const StartEngine& start) {
    return "start engine " + std::to_string(start.engine) +
           (start.descriptors ? " with " + std::to_string(*start.descriptors) + " descriptors"
                              : std::string());
}

std::string mid_call(std::size_t calls) {
    return calls == 0 ? std::string() : " " + std::to_string(calls) + " calls later";
}

std::string text(const StopEngine& stop) {
    return "stop engine " + std::to_string(stop.engine) +
           (stop.deadline ? " within " + text(*stop.deadline) : std::string()) +
           mid_call(stop.mid_call);
}

std::string text(const ConnectPeer& connect) {
    const PeerPlan& plan = connect.plan;
    std::string text = "connect to address " + std::to_string(plan.address) + " of engine " +
                       std::to_string(plan.engine) + ", send " + std::to_string(plan.bytes) +
                       " by " + std::to_string(plan.chunk) + " every " + simulation::text(plan.gap);
    text += ", ";
    text += name(plan.reading, kReadings);
    if (plan.reading != Reading::always && plan.reading != Reading::never) {
        text += " (" + std::to_string(plan.sip) + ", " + simulation::text(plan.read_gap) + ")";
    }
    if (plan.receive_buffer != 0) text += ", buffer " + std::to_string(plan.receive_buffer);
    text += ", ";
    text += name(plan.farewell, kFarewells);
    if (plan.farewell != Farewell::none) {
        text += " ";
        text += name(plan.when, kWhens);
        if (plan.when == When::after) text += " " + simulation::text(plan.patience);
    }
    if (!plan.leaves_on_end) text += ", ignores FIN";
    return text + "; " + simulation::text(plan.manners);
}

std::string text(const CallEngine& call) {
    std::string text(name(call.kind, kCalls));
    text += " to the peer of act " + std::to_string(call.peer);
    if (call.bytes != 0) text += ", " + std::to_string(call.bytes) + " bytes";
    text += ", ";
    text += name(call.mode, kModes);
    if (call.times != 1) text += ", " + std::to_string(call.times) + " times";
    return text + mid_call(call.mid_call);
}

std::string text(const Dial& dial) {
    std::string text = "loop " + std::to_string(dial.loop) + " of engine " +
                       std::to_string(dial.engine) + " connects to ";
    text += name(dial.target, kTargets);
    return text + ", patience " + simulation::text(dial.patience) + ", " +
           std::to_string(dial.bytes) + " bytes" + (dial.given_up ? ", gives up" : "");
}

std::string text(const LimitDescriptors& limit) {
    return "engine " + std::to_string(limit.engine) + " may open " +
           (limit.room ? std::to_string(*limit.room) + " more" : "what it likes");
}

std::string text(const SuspendEngine& suspend) {
    return std::string(suspend.resumes ? "resume" : "suspend") + " engine " +
           std::to_string(suspend.engine);
}

std::string text(const CloseListener& close) {
    return "close listener " + std::to_string(close.address) + " of engine " +
           std::to_string(close.engine) + " within " + text(close.patience);
}

std::string text(const Occupy& occupy) {
    return std::string("a stranger ") + (occupy.leaves ? "leaves" : "listens on") + " address " +
           std::to_string(occupy.address) + " of engine " + std::to_string(occupy.engine);
}

std::string text(const EnginePlan& plan) {
    const Options& options = plan.options;
    std::string text = std::to_string(options.loops) + " loops, ";
    switch (options.balance) {
        case Balance::sharded: text += "sharded"; break;
        case Balance::round_robin: text += "round robin"; break;
        case Balance::least_connections: text += "least connections"; break;
        case Balance::source_hash: text += "source hash"; break;
    }
    for (const Address& address : plan.addresses) text += ", " + address.listen;
    for (const auto& [what, value] :
         {std::pair{"backlog", static_cast<std::size_t>(options.backlog)},
          {"connections_max", options.connections_max},
          {"listener_connections_max", options.listener_connections_max},
          {"address_connections_max", options.address_connections_max},
          {"accept_rate_max", options.accept_rate_max},
          {"output_low", options.output_low},
          {"output_high", options.output_high},
          {"output_max", options.output_max},
          {"input_max", options.input_max},
          {"read_budget", options.read_budget},
          {"not_sent_max", options.not_sent_max},
          {"send_rate_min", options.send_rate_min},
          {"linger_bytes_max", options.linger_bytes_max},
          {"receive_bytes", plan.bounds.receive_bytes},
          {"accept_budget", plan.bounds.accept_budget},
          {"events_max", plan.bounds.events_max}}) {
        text += std::string(", ") + what + " " + std::to_string(value);
    }
    for (const auto& [what, value] : {std::pair{"idle_timeout", options.idle_timeout},
                                      {"read_timeout", options.read_timeout},
                                      {"write_stall_timeout", options.write_stall_timeout},
                                      {"lifetime_max", options.lifetime_max},
                                      {"linger", options.linger},
                                      {"drain", options.drain},
                                      {"lame_duck", options.lame_duck.value_or(Duration{})},
                                      {"quiesce_max", options.quiesce_max},
                                      {"spread", options.spread},
                                      {"first_request_grace", options.first_request_grace},
                                      {"tick", plan.tick}}) {
        text += std::string(", ") + what + " " + simulation::text(value);
    }
    if (plan.failing_tick != 0)
        text += ", every " + std::to_string(plan.failing_tick) + "th throws";
    if (plan.boot == Boot::throws) text += ", on_boot throws";
    if (plan.boot == Boot::stops) text += ", on_boot stops it";
    if (plan.fails_in_loop_start) text += ", on_loop_start throws";
    if (plan.fails_in_shutdown) text += ", on_shutdown throws";
    if (!plan.is_net_admin) text += ", may not filter";
    if (options.late_accept == LateAccept::refuse) text += ", refuses late clients";
    if (!options.verify) text += ", does not verify";
    return text;
}

std::string text(const driver::sim::Weather& weather) {
    std::string text = "travel " + simulation::text(weather.travel_max) + ", call " +
                       simulation::text(weather.call_max);
    for (const auto& [what, one_in] : {std::pair{"partial send", weather.partial_send},
                                       {"partial receive", weather.partial_receive},
                                       {"refused send", weather.refused_send},
                                       {"aborted accept", weather.aborted_accept},
                                       {"short of memory", weather.short_of_memory},
                                       {"late completion", weather.late_completion},
                                       {"cut short poll", weather.cut_short_poll}}) {
        if (one_in != 0) text += std::string(", ") + what + " 1/" + std::to_string(one_in);
    }
    return text;
}

}  // namespace

std::string to_string(const Act& act) {
    return std::to_string(act.index) + ": at " + text(act.at) + " " +
           std::visit([](const auto& what) { return text(what); }, act.what);
}

std::string to_string(const Schedule& schedule) {
    std::string text = "seed " + std::to_string(schedule.seed) +
                       "\nweather: " + simulation::text(schedule.weather);
    if (schedule.meddling != 0) {
        text += ", meddling 1/" + std::to_string(schedule.meddling);
    }
    for (std::size_t i = 0; i < schedule.engines.size(); ++i) {
        text += "\nengine " + std::to_string(i) + ": " + simulation::text(schedule.engines[i]);
    }
    for (const Act& act : schedule.acts) text += "\nact " + to_string(act);
    return text + "\n";
}

}  // namespace berth::simulation
