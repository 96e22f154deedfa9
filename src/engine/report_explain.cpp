// SPDX-License-Identifier: MIT
//
// StopReport in paragraphs: what happened, what it cost, and what to do about it.

#include <berth/report.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace berth {

namespace {

std::string count_of(std::uint64_t count, const char* noun) {
    return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

std::string seconds_text(Duration duration) {
    const auto tenths =
        std::chrono::round<std::chrono::duration<std::int64_t, std::deci>>(duration);
    return std::to_string(tenths.count() / 10) + '.' + std::to_string(tenths.count() % 10) + " s";
}

void explain_course(std::string& text, const StopReport& report) {
    text += "The server was stopped by " + report.requested_by + " and took " +
            seconds_text(report.duration) + " of the " + seconds_text(report.deadline) +
            " that it had. When it began there were " +
            count_of(report.connections.at_start, "connection") + "; " +
            std::to_string(report.connections.opened_during_stop) +
            " more came before the doors were closed.";
    if (report.connections.forced == 0 && report.bytes.discarded == 0) {
        text += " Nobody was cut off.";
    }
    text += '\n';
}

void explain_losses(std::string& text, const StopReport& report) {
    if (report.connections.forced == 0 && report.bytes.discarded == 0) return;
    text += '\n' + count_of(report.connections.forced, "connection") +
            " did not end by the deadline and were reset. " +
            count_of(report.bytes.discarded, "byte") +
            " that the handler had written never left this machine; " +
            std::to_string(report.bytes.unconfirmed) +
            " more were sent and not acknowledged, so they may have arrived.\n";
    for (const StopReport::Forced& forced : report.forced) {
        text += "  " + forced.peer.to_string() + ": " + std::string(forced.state) +
                ", silent for " + seconds_text(forced.idle) + ", owed " +
                std::to_string(forced.bytes_unsent) + " + " +
                std::to_string(forced.bytes_unconfirmed) + " bytes";
        if (forced.in_flight > 0) {
            text += ", " + count_of(forced.in_flight, "request") + " under way";
        }
        text += '\n';
    }
    if (report.forced.size() < report.connections.forced) text += "  and others\n";
    text +=
        "What to do: a longer --drain gives slow readers more time; --idle-timeout ends peers that "
        "never read or "
        "close before a stop has to.\n";
}

void explain_listener(std::string& text, const ListenerReport& listener) {
    text += '\n' + listener.endpoint.to_string();
    if (listener.quiesce == "handed_over") {
        text += " lives on in the next generation.\n";
        return;
    }
    text += listener.released ? " is free again: a fresh socket could bind it" : " is still held";
    if (listener.listened == "proven") text += " and listen";
    text += ".";
    if (listener.handshakes_abandoned > 0) {
        text += ' ' + count_of(listener.handshakes_abandoned, "handshake") +
                " could not be completed in time.";
    }
    if (listener.refused > 0) {
        text +=
            ' ' + count_of(listener.refused, "client") + " came too late and got an orderly end.";
    }
    text += '\n';
    if (listener.port) {
        text += listener.port->to_string() + '\n';
    } else if (!listener.cause.empty()) {
        text += listener.cause + '\n';
    }
}

void explain_stuck(std::string& text, const StopReport& report) {
    for (const StopReport::StuckLoop& stuck : report.loops.stuck) {
        text +=
            "\nLoop " + std::to_string(stuck.loop) + " (thread " + std::to_string(stuck.thread) +
            ") has not returned from " + std::string(stuck.callback) + " for " +
            seconds_text(stuck.since) +
            "; its connections and its thread were left behind. What to do: `gdb -p PID` and "
            "`thread apply all backtrace` show where the handler waits; blocking work belongs on "
            "a thread of its own.\n";
    }
}

}  // namespace

std::string StopReport::explain() const {
    std::string text;
    explain_course(text, *this);
    explain_losses(text, *this);
    for (const ListenerReport& listener : listeners) explain_listener(text, listener);
    explain_stuck(text, *this);
    if (handler_exceptions > 0) {
        text += "\nThe handler threw " + count_of(handler_exceptions, "exception") +
                " over the whole run; each cost its connection and was logged.\n";
    }
    if (!failure.empty()) text += "\nThe engine failed: " + failure + '\n';
    return text;
}

}  // namespace berth
