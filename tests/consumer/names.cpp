// SPDX-License-Identifier: MIT
//
// The outsider who wants names by c-ares: a client of somebody who has berth and its component
// cares. It asks for a name that needs no name server, and fails if anything was not as promised.

#include <berth/berth.hpp>
#include <berth/cares_resolver.hpp>

#include <future>

struct Client final : berth::EventHandler {};

int main() {
    const auto names = berth::CaresResolver::make();
    if (!names) return 1;
    Client client;
    berth::Engine engine(client, {.loops = 1, .resolver = names->get()});
    if (!engine.start()) return 1;
    std::promise<bool> answer;
    (*names)->resolve({.host = "localhost"}, [&](berth::Result<berth::ResolvedName>&& name) {
        answer.set_value(name && !name->addresses.empty());
    });
    if (!answer.get_future().get()) return 1;
    const auto report = engine.stop();
    return report && report->ok() ? 0 : 1;
}
