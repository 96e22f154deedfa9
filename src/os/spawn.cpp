// SPDX-License-Identifier: MIT
//
// spawn: fork twice, exec once.

#include "os/spawn.hpp"

#include "os/call_outcome.hpp"
#include "os/calls.hpp"
#include "os/owned_descriptor.hpp"

#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): signals of POSIX, not of C++
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): unsetenv is POSIX
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace berth::os {

namespace {

using KernelSignals = std::uint64_t;  // 64 signals, one bit each
constexpr KernelSignals kAllSignals = ~KernelSignals{0};

long set_signal_mask(const KernelSignals& mask, KernelSignals* before) {
    return raw_call(Call::signal_mask, SIG_SETMASK, &mask, before, sizeof mask);
}

long fork_once() { return raw_call(Call::fork, SIGCHLD, 0, 0, 0, 0); }

[[noreturn]] void end_process(int status) {
    for (;;) raw_call(Call::exit, status);
}

// Everything that the child needs, made before there is one.
class Image {
public:
    Image(std::span<const std::string> command, const std::string& variable) {
        for (const std::string& word : command) words_.push_back(pointer(word));
        words_.push_back(nullptr);
        const std::string_view name = std::string_view(variable).substr(0, variable.find('=') + 1);
        for (char** entry = environ; *entry != nullptr; ++entry) {
            if (!std::string_view(*entry).starts_with(name)) variables_.push_back(*entry);
        }
        variables_.push_back(pointer(variable));
        variables_.push_back(nullptr);
        find(command.front());
    }

    // Returns only if none of the files could be run: the errno.
    int execute() const {
        int failure = ENOENT;
        for (const std::string& file : files_) {
            const long result =
                raw_call(Call::execute, file.c_str(), words_.data(), variables_.data());
            // As execvp(3): another file of the name may do.
            if (result != -ENOENT && result != -ENOTDIR) failure = static_cast<int>(-result);
            if (failure != ENOENT && failure != EACCES) break;
        }
        return failure;
    }

private:
    static char* pointer(const std::string& text) { return const_cast<char*>(text.c_str()); }

    void find(const std::string& program) {
        const char* const path = std::getenv("PATH");
        if (program.contains('/') || path == nullptr) {
            files_.push_back(program);
            return;
        }
        for (std::string_view rest(path); !rest.empty();) {
            const std::size_t end = std::min(rest.find(':'), rest.size());
            const std::string_view folder = rest.substr(0, end);
            files_.push_back(std::string(folder.empty() ? "." : folder) + '/' + program);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }

    std::vector<char*> words_;
    std::vector<char*> variables_;
    std::vector<std::string> files_;
};

// The grandchild: says why it could not become the program, if it could not.
[[noreturn]] void become(const Image& image, int inherited, int answer, const KernelSignals& mask) {
    raw_call(Call::duplicate, inherited, F_SETFD, 0);
    set_signal_mask(mask, nullptr);
    const int failure = image.execute();
    raw_call(Call::raise, answer, &failure, sizeof failure);
    end_process(1);
}

[[noreturn]] void fork_again(const Image& image, int inherited, int answer,
                             const KernelSignals& mask) {
    const long child = fork_once();
    if (child == 0) become(image, inherited, answer, mask);
    const int failure = child < 0 ? static_cast<int>(-child) : 0;
    if (failure != 0) raw_call(Call::raise, answer, &failure, sizeof failure);
    end_process(0);
}

}  // namespace

base::Outcome<void> spawn(std::span<const std::string> command, const std::string& variable,
                          int inherited) {
    const Image image(command, variable);
    std::array<int, 2> ends{};
    const auto piped = outcome<void>(raw_call(Call::pipe, ends.data(), O_CLOEXEC));
    if (!piped) return piped;
    const OwnedDescriptor question(ends[0]);
    OwnedDescriptor answer(ends[1]);

    KernelSignals mask = 0;  // handlers of ours must not run in the child
    set_signal_mask(kAllSignals, &mask);
    const long child = fork_once();
    if (child == 0) fork_again(image, inherited, answer.number(), mask);
    set_signal_mask(mask, nullptr);
    if (child < 0) return base::failed(static_cast<int>(-child));

    close(answer.release());
    static_cast<void>(uninterrupted<int>(Call::reap, child, nullptr, 0, nullptr));
    int failure = 0;  // nothing comes when the program runs: its end was close-on-exec
    const auto read =
        uninterrupted<std::size_t>(Call::read, question.number(), &failure, sizeof failure);
    if (!read) return base::failed(read.errno_value());
    if (*read != 0) return base::failed(failure);
    return {};
}

std::string take_variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr) return {};
    std::string taken(value);
    unsetenv(name);
    return taken;
}

}  // namespace berth::os
