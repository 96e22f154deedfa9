// SPDX-License-Identifier: MIT
//
// `berth serve`: a real server in one line.
//
// Says on stdout where it listens and when it is ready, serves until it is told to stop, and
// reports how the stop went.

#pragma once

#include <berth/options.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace berth::app {

enum class Service : std::uint8_t {
    echo,     // answers with what it was sent
    discard,  // reads, and answers nothing
};

struct ServeSettings {
    Service service = Service::echo;
    std::vector<std::string> addresses{"tcp://127.0.0.1:9000"};
    Options options;
    std::filesystem::path report;  // empty: none
    std::optional<int> ready_fd;
};

// The exit status of the program.
int serve(const ServeSettings& settings);

}  // namespace berth::app
