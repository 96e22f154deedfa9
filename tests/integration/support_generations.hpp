// SPDX-License-Identifier: MIT
//
// Generations: engines that hand over to each other, in one process.
//
// Between processes there is nothing more: the generations speak through a Unix socket, and
// neither knows where the other lives.
//
// Lifetime:  a generation stops with its object.

#pragma once

#include "integration/support_script.hpp"
#include "support/eventually.hpp"
#include "support/raw_socket.hpp"
#include "support/temp_dir.hpp"

#include <berth/engine.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {

// An echo server that may take over, and be taken over from.
class Generation {
public:
    explicit Generation(const Options& options) : engine_(script, with(options)) {
        script.traffic = echo;
    }
    ~Generation() { engine_.request_stop(Deadline{}); }

    Result<void> start(const std::vector<std::string>& addresses) {
        return engine_.start(addresses);
    }
    Engine& engine() { return engine_; }
    Endpoint endpoint(std::size_t listener = 0) const { return engine_.endpoints().at(listener); }
    std::string address(std::size_t listener = 0) const { return endpoint(listener).to_string(); }
    EngineSnapshot::Handovers handovers() const { return engine_.snapshot().handovers; }
    bool says(std::string_view part) const {
        return journal.has(LogLevel::info, part) || journal.has(LogLevel::warning, part);
    }

    Script script;
    Journal journal;

private:
    Options with(Options options) {
        options.logger = &journal;
        return options;
    }
    Engine engine_;
};

class Generations : public testing::Test {
protected:
    Options options() const {
        return {.loops = 2,
                .drain = std::chrono::seconds{5},
                .handover = path(),
                .probation = patience(),
                .handover_timeout = patience()};
    }
    // Its probation is over as soon as it begins.
    Options without_probation() const {
        Options options = this->options();
        options.probation = Duration{0};
        return options;
    }
    std::string path() const { return folder.file("handover"); }
    std::string unix_address() const { return "unix:" + folder.file("echo"); }

    static ::testing::AssertionResult is_in(Generation& generation, EngineState state) {
        return eventually([&] { return generation.engine().state() == state; });
    }
    static RawPeer connect(const Generation& generation, std::size_t listener = 0) {
        return RawPeer::connect(generation.endpoint(listener));
    }
    // Somebody answers.
    static std::string said_back(RawPeer& peer, const std::string& text = "hello") {
        peer.send(text);
        return peer.read(text.size());
    }

    TempDir folder;
};

inline const std::vector<std::string> kAnyPort{"tcp://127.0.0.1:0"};

}  // namespace berth::test
