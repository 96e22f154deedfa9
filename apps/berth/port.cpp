// SPDX-License-Identifier: MIT
//
// `berth port`: asks, prints, and asks again while it may wait.

#include "port.hpp"

#include "exit_status.hpp"

#include <berth/engine.hpp>
#include <berth/port.hpp>
#include <berth/result.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <expected>
#include <iostream>
#include <string>
#include <thread>

namespace berth::app {

namespace {

using Clock = std::chrono::steady_clock;

// Between two looks of a wait. Each binds the address for a few microseconds, which is in nobody's
// way who sets SO_REUSEADDR.
constexpr Duration kInterval = std::chrono::milliseconds{20};

bool is_number(const std::string& text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char character) {
        return std::isdigit(character) != 0;
    });
}

Result<PortDiagnosis> diagnose_patiently(const PortSettings& settings) {
    const std::string address = settings.endpoint.to_string();
    const auto deadline = Clock::now() + settings.wait;
    for (;;) {
        auto diagnosis = Engine::diagnose(address);
        if (!diagnosis || diagnosis->is_free || Clock::now() >= deadline) return diagnosis;
        std::this_thread::sleep_for(std::min<Clock::duration>(kInterval, deadline - Clock::now()));
    }
}

}  // namespace

Parsed<Endpoint> parse_port_address(const std::string& text) {
    const auto endpoint = Endpoint::parse(is_number(text) ? "tcp://:" + text : text);
    if (!endpoint) return std::unexpected(endpoint.error().to_string());
    return *endpoint;
}

int port(const PortSettings& settings) {
    const auto diagnosis = diagnose_patiently(settings);
    if (!diagnosis) {
        std::cerr << "berth port: " << diagnosis.error().to_string() << '\n';
        return kFailed;
    }
    std::cout << (settings.json ? diagnosis->to_json() : diagnosis->to_string()) << '\n';
    return diagnosis->is_free ? kSucceeded : kFailed;
}

}  // namespace berth::app
