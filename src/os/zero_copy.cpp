// SPDX-License-Identifier: MIT
//
// Zero copy, as system calls.

#include "os/zero_copy.hpp"

#include "base/outcome.hpp"
#include "os/call.hpp"
#include "os/call_outcome.hpp"
#include "os/raw_call.hpp"

#include <berth/bytes.hpp>

#include <fcntl.h>
#include <sys/types.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): timespec, with <signal.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>

namespace berth::os {

namespace {

using KernelSignals = std::uint64_t;
constexpr int kPipeBytes = 1 << 20;
constexpr KernelSignals kPipe = KernelSignals{1} << (SIGPIPE - 1);

// While one lives, a SIGPIPE of this thread waits; one that came meanwhile is taken away.
class PipeSignalHeld {
public:
    PipeSignalHeld() { raw_call(Call::signal_mask, SIG_BLOCK, &kPipe, &before_, sizeof kPipe); }
    PipeSignalHeld(const PipeSignalHeld&) = delete;
    PipeSignalHeld& operator=(const PipeSignalHeld&) = delete;
    ~PipeSignalHeld() {
        if ((before_ & kPipe) != 0) return;  // it was blocked: what waits is not ours
        if (was_raised_) {
            const timespec none{};
            raw_call(Call::take_signal, &kPipe, nullptr, &none, sizeof kPipe);
        }
        raw_call(Call::signal_mask, SIG_SETMASK, &before_, nullptr, sizeof before_);
    }
    void note(long result) { was_raised_ = result == -EPIPE; }

private:
    KernelSignals before_ = 0;
    bool was_raised_ = false;
};

}  // namespace

base::Outcome<std::size_t> send_file(int socket, int file, std::uint64_t offset,
                                     std::size_t count) {
    PipeSignalHeld held;
    auto from = static_cast<off_t>(offset);
    const long result = raw_call(Call::send_file, socket, file, &from, count);
    held.note(result);
    return outcome<std::size_t>(result);
}

base::Outcome<Pipe> open_pipe() {
    std::array<int, 2> ends{};
    const auto made = outcome<void>(raw_call(Call::pipe, ends.data(), O_CLOEXEC | O_NONBLOCK));
    if (!made) return base::failed(made.errno_value());
    raw_call(Call::duplicate, ends[1], F_SETPIPE_SZ, kPipeBytes);  // or what it has by default
    return Pipe{.reader = ends[0], .writer = ends[1]};
}

base::Outcome<Spliced> splice_through(const SpliceWay& way, std::size_t count) {
    constexpr long kHow = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
    const auto taken = outcome<std::size_t>(
        raw_call(Call::splice, way.from, nullptr, way.writer, nullptr, count, kHow));
    if (!taken) return base::failed(taken.errno_value());
    Spliced spliced{.taken = *taken, .sent = 0, .send_errno = 0};
    PipeSignalHeld held;
    while (spliced.sent < spliced.taken && spliced.send_errno == 0) {
        const long sent = raw_call(Call::splice, way.reader, nullptr, way.to, nullptr,
                                   spliced.taken - spliced.sent, kHow);
        held.note(sent);
        if (sent > 0) {
            spliced.sent += static_cast<std::size_t>(sent);
        } else {
            spliced.send_errno = sent == 0 ? EAGAIN : static_cast<int>(-sent);
        }
    }
    return spliced;
}

base::Outcome<std::size_t> read_now(int descriptor, MutableBytes into) {
    return outcome<std::size_t>(raw_call(Call::read, descriptor, into.data(), into.size()));
}

base::Outcome<std::size_t> read_at(int file, MutableBytes into, std::uint64_t offset) {
    return outcome<std::size_t>(
        raw_call(Call::read_at, file, into.data(), into.size(), static_cast<long>(offset)));
}

}  // namespace berth::os
