// SPDX-License-Identifier: MIT
//
// ServerProcess: reads `listening …` lines up to `ready`.

#include "server_process.hpp"

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace berth::test {

namespace {

Process::Words serve_words(Process::Words wrapper, const Process::Words& words) {
    const Process::Words serve = berth_words({"serve"});
    wrapper.insert(wrapper.end(), serve.begin(), serve.end());
    wrapper.insert(wrapper.end(), words.begin(), words.end());
    if (const char* driver = std::getenv("BERTH_DRIVER")) {
        wrapper.insert(wrapper.end(), {"--driver", driver});
    }
    return wrapper;
}

}  // namespace

ServerProcess::ServerProcess(const Words& words, const Words& environment, const Words& wrapper)
    : Process(serve_words(wrapper, words), environment) {
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
