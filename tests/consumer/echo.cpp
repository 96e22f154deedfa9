// SPDX-License-Identifier: MIT
//
// The outsider: an echo server of somebody who only has berth's headers and library. It starts,
// stops again, and fails if anything was not as promised.

#include <berth/berth.hpp>

struct Echo final : berth::EventHandler {
    berth::Action on_traffic(berth::Connection& peer) override {
        peer.write(peer.peek());
        peer.discard();
        return berth::Action::none;
    }
};

int main() {
    Echo echo;
    berth::Engine engine(echo, {.loops = 1});
    if (berth::version() != BERTH_VERSION || !engine.start("tcp://127.0.0.1:0")) return 1;
    const auto report = engine.stop();
    return report && report->ok() ? 0 : 1;
}
