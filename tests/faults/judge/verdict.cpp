// SPDX-License-Identifier: MIT
//
// Verdict: the rules, by subject.

#include "faults/judge/verdict.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace berth::test {
namespace {

using os::Call;

// ── What is right ────────────────────────────────────────────────────────────────────────────

ErrorCode code_of(int errno_value) {
    switch (errno_value) {
        case EADDRINUSE: return ErrorCode::address_in_use;
        case EADDRNOTAVAIL: return ErrorCode::address_not_local;
        case EACCES:
        case EPERM: return ErrorCode::permission_denied;
        case EMFILE:
        case ENFILE: return ErrorCode::descriptor_limit;
        case ENOMEM:
        case ENOBUFS: return ErrorCode::memory_limit;
        case EAFNOSUPPORT:
        case ENOPROTOOPT: return ErrorCode::unsupported;
        default: return ErrorCode::io;
    }
}

CloseReason reason_of(int errno_value) {
    switch (errno_value) {
        case ECONNRESET:
        case EPIPE: return CloseReason::peer_reset;
        case ETIMEDOUT: return CloseReason::user_timeout;
        default: return CloseReason::io_error;
    }
}

// How an Error names the operation in which this call fails. Who owns a Unix path is asked by
// connecting to it.
struct Operations {
    Call call;
    std::array<std::string_view, 3> names;
};
constexpr std::array kOperations{
    Operations{Call::socket, {"socket", "connect"}},
    Operations{Call::bind, {"bind", {}}},
    Operations{Call::listen, {"listen", {}}},
    Operations{Call::connect, {"connect", {}}},
    Operations{Call::set_option, {"setsockopt", {}}},
    Operations{Call::local_address, {"getsockname", {}}},
    Operations{Call::epoll_create, {"open driver", {}}},
    Operations{Call::epoll_control, {"open driver", "connect"}},
    Operations{Call::eventfd, {"open driver", "open", "eventfd"}},
    Operations{Call::open, {"lock directory", {}}},
    Operations{Call::lock, {"lock directory", {}}},
    Operations{Call::file_facts, {"lstat", {}}},
    Operations{Call::unlink, {"unlink", {}}},
    Operations{Call::option, {"connect", {}}},
    Operations{Call::ring_setup, {"open driver", {}}},
    Operations{Call::ring_register, {"open driver", {}}},
    Operations{Call::map, {"open driver", {}}},
};

bool names(std::string_view operation, Call call) {
    const auto* row = std::ranges::find(kOperations, call, &Operations::call);
    return row != kOperations.end() && std::ranges::find(row->names, operation) != row->names.end();
}

// ── The judge ────────────────────────────────────────────────────────────────────────────────

class Judge {
public:
    Judge(const Board& board, const RunResult& result, Stop stop)
        : board_(board), result_(result), stop_(stop), harm_(board.fault.outcome.harm) {}

    std::vector<std::string> judge() {
        judge_process();
        if (!found_.empty()) return std::move(found_);  // the rest of the board means nothing
        judge_callbacks();
        judge_what_is_left();
        judge_errors();
        for (const Guest& guest : result_.guests) judge_guest(guest);
        if (!board_.start_error.happened) judge_report();
        judge_dials();
        judge_reason();
        return std::move(found_);
    }

private:
    void require(bool holds, std::string what) {
        if (!holds) found_.push_back(std::move(what));
    }

    bool is_reached_in(Phase phase) const {
        return board_.is_reached && board_.reached_in == phase;
    }
    bool harms_start() const { return harm_ == Harm::start || harm_ == Harm::path; }
    bool is_fault(Call call) const { return board_.fault.call == call; }

    bool is_touched(const Guest& guest) const { return guest.name() == board_.touched.text(); }
    bool is_dial_touched() const {
        return !board_.touched.text().empty() &&
               std::ranges::none_of(result_.guests, [&](auto& guest) { return is_touched(guest); });
    }
    // To the engine it looked as if this guest came when the stop had begun.
    bool is_late(const Guest& guest) const {
        if (harm_ != Harm::late || !is_reached_in(Phase::stopping)) return false;
        return board_.touched.text().empty() ? guest.role() == "late" : is_touched(guest);
    }
    bool is_excused(const Guest& guest) const {
        if (harm_ == Harm::engine) return true;
        if (harm_ == Harm::late) return is_late(guest);
        return harm_ == Harm::connection && is_touched(guest);
    }

    void judge_process() {
        require(board_.defect.text().empty(), std::string(board_.defect.text()));
        require(result_.process.in_time, "the server hangs");
        require(!result_.process.in_time || result_.process.by_itself,
                "the server died of signal " + std::to_string(result_.process.status));
        require(!result_.process.by_itself || result_.process.status == 0,
                "the server's exit status is " + std::to_string(result_.process.status));
    }

    void judge_callbacks() {
        require(board_.opened == board_.closed, std::to_string(board_.opened) + " on_open, " +
                                                    std::to_string(board_.closed) + " on_close");
        const unsigned shutdowns = board_.start_error.happened ? 0 : 1;
        require(board_.shutdowns == shutdowns,
                "on_shutdown called " + std::to_string(board_.shutdowns) + " times");
        require(board_.disorders == 0, "a callback at the wrong time");
        require(board_.tasks_taken == board_.tasks_completed,
                std::to_string(board_.tasks_taken) + " tasks taken, " +
                    std::to_string(board_.tasks_completed) + " completed");
    }

    void judge_what_is_left() {
        require(board_.descriptors_before == board_.descriptors_after,
                std::to_string(board_.descriptors_before) + " descriptors before, " +
                    std::to_string(board_.descriptors_after) + " after");
        require(result_.port_is_free, "the port is held");
        const bool is_admitted =
            harm_ == Harm::path && is_reached_in(Phase::stopping) && board_.not_released > 0;
        require(!result_.path_is_ours || is_admitted, "the Unix path is left, and nobody says so");
        require(!result_.has_path || result_.path_is_ours || board_.start_error.happened,
                "the stale socket was not replaced");
    }

    void judge_error(const NotedError& error, const std::string& where) {
        const int expected = board_.fault.outcome.errno_value;
        const std::string text = where + ": " + std::string(error.text.text());
        require(error.errno_value == expected, text + ": another errno");
        require(error.code == code_of(expected),
                text + ": code " + std::string(to_string(error.code)));
    }

    void judge_errors() {
        if (board_.machine_error.happened) {
            require(is_reached_in(Phase::asking) && harms_start(), "Endpoint::parse failed");
            judge_error(board_.machine_error, "Endpoint::parse");
        }
        if (!board_.start_error.happened) return;
        const bool is_expected = harms_start() || is_fault(Call::epoll_control);
        require(is_reached_in(Phase::starting) && is_expected, "the start failed");
        judge_error(board_.start_error, "start");
        require(names(board_.start_error.operation.text(), board_.fault.call),
                "start: operation " + std::string(board_.start_error.operation.text()));
    }

    void judge_guest(const Guest& guest) {
        const std::string who = "guest " + guest.role() + ": ";
        // A Unix socket has no reset: whatever happens, its end looks like a FIN. And where one
        // loop has failed, the others let their connections go in peace: nothing written is lost.
        const NotedClose* close = close_of(guest);
        const bool is_in_peace = harm_ == Harm::engine && close != nullptr &&
                                 close->reason == CloseReason::stop_graceful;
        const bool is_cut_by_fin =
            guest.saw_cut_by_fin() && !guest.is_unix() && !is_in_peace && !is_late(guest);
        const bool is_unforgivable =
            is_cut_by_fin || guest.saw_wrong_bytes() || guest.waited_in_vain();
        require(guest.is_content() || (is_excused(guest) && !is_unforgivable),
                who + guest.trouble());
    }

    void judge_dials() {
        if (harm_ == Harm::engine) return;
        if (result_.dials.find('n') == std::string::npos) return;
        const bool has_failed_call =
            is_reached_in(Phase::serving) && (is_fault(Call::socket) || is_fault(Call::connect));
        const bool is_cut = harm_ == Harm::connection && is_dial_touched();
        require(has_failed_call || is_cut || is_fault(Call::option), "a connect failed");
        // Where the other end was cut off, that is what this one sees.
        const bool is_other_end = is_cut && board_.dial_error.errno_value == ECONNRESET;
        if (!board_.dial_error.happened || is_other_end) return;
        judge_error(board_.dial_error, "connect");
        require(names(board_.dial_error.operation.text(), board_.fault.call),
                "connect: operation " + std::string(board_.dial_error.operation.text()));
    }

    // The connection that the fault has ended says why, unless all was said and done before.
    void judge_reason() {
        if (harm_ != Harm::connection || !board_.is_reached) return;
        const CloseReason expected = reason_of(board_.fault.outcome.errno_value);
        for (const Guest& guest : result_.guests) {
            const NotedClose* close = close_of(guest);
            if (!is_touched(guest) || guest.is_content() || close == nullptr) continue;
            require(close->reason == expected, "guest " + guest.role() + " was closed for " +
                                                   std::string(to_string(close->reason)));
        }
    }

    // Null: it was never open, or its name could not be asked for.
    const NotedClose* close_of(const Guest& guest) const {
        const std::size_t count = std::min<std::size_t>(board_.closed, board_.closes.size());
        for (const NotedClose& close : std::span(board_.closes).first(count)) {
            if (close.peer.text() == guest.name()) return &close;
        }
        return nullptr;
    }

    void judge_report() {
        require(board_.written == board_.acknowledged + board_.discarded + board_.unconfirmed,
                "the report's bytes do not add up");
        const std::array allowed = allowed_outcomes();
        require(std::ranges::find(allowed, board_.outcome) != allowed.end(),
                "outcome " + std::string(to_string(board_.outcome)) + ", " +
                    std::string(board_.cause.text()));
        const bool is_excused = is_reached_in(Phase::stopping) && harms_start();
        require(board_.not_released == 0 || is_excused || harm_ == Harm::path,
                "not released: " + std::string(board_.cause.text()));
    }

    // What the stop was meant to be, and what the fault may have made of it.
    std::array<StopOutcome, 3> allowed_outcomes() const {
        const StopOutcome meant =
            stop_ == Stop::graceful ? StopOutcome::clean : StopOutcome::forced;
        switch (harm_) {
            case Harm::nobody:
            case Harm::late: return {meant, meant, meant};
            case Harm::connection: return {meant, StopOutcome::clean, StopOutcome::forced};
            case Harm::start:
            case Harm::path: return {meant, StopOutcome::port_held, meant};
            case Harm::engine: break;
        }
        if (!board_.is_reached) return {meant, meant, meant};
        // A ring may break when a loop that leaves has nothing left to ask of it.
        if (is_reached_in(Phase::stopping) && is_fault(Call::ring_enter)) {
            return {meant, StopOutcome::failed, StopOutcome::failed};
        }
        return {StopOutcome::failed, StopOutcome::failed, StopOutcome::failed};
    }

    const Board& board_;
    const RunResult& result_;
    Stop stop_;
    Harm harm_;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> violations(const Board& board, const RunResult& result, Stop stop) {
    return Judge(board, result, stop).judge();
}

}  // namespace berth::test
