// SPDX-License-Identifier: MIT
//
// ServerProcess: reads `listening …` lines up to `ready`.

#include "server_process.hpp"

#include <csignal>
#include <stdexcept>
#include <string_view>

namespace berth::test {

namespace {

Process::Words serve_words(const Process::Words& words) {
    Process::Words all = berth_words({"serve"});
    all.insert(all.end(), words.begin(), words.end());
    return all;
}

}  // namespace

ServerProcess::ServerProcess(const Words& words, const Words& environment)
    : Process(serve_words(words), environment) {
    constexpr std::string_view kListening = "listening ";
    for (std::string line = read_line(); line != "ready"; line = read_line()) {
        const bool is_address = line.starts_with(kListening);
        const auto endpoint = Endpoint::parse(is_address ? line.substr(kListening.size()) : "");
        if (!endpoint) throw std::runtime_error("not an address: " + line);
        endpoints_.push_back(*endpoint);
    }
}

int ServerProcess::stop() {
    signal(SIGTERM);
    return wait();
}

}  // namespace berth::test
