// SPDX-License-Identifier: MIT
//
// `berth serve`: a real server in one line.
//
// Says on stdout where it listens and when it is ready, serves until it is told to stop, and
// reports how the stop went.

#pragma once

#include "proxy_service.hpp"

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
    http,     // answers with a page
    proxy,    // joins each client with a connection to another server
};

struct ServeSettings {
    static constexpr const char* kDefaultAddress = "tcp://127.0.0.1:9000";

    Service service = Service::echo;
    // Empty: the sockets that systemd opened or, if there are none, kDefaultAddress.
    std::vector<std::string> addresses;
    Options options;
    ProxySettings proxy;
    std::string admin;  // empty: none
    bool keep_listeners = false;
    std::filesystem::path report;  // empty: none
    std::optional<int> ready_fd;
};

// The exit status of the program.
int serve(const ServeSettings& settings);

}  // namespace berth::app
