// SPDX-License-Identifier: MIT
//
// InFlight: the end of a token, on its way to the loop of its connection.

#include <berth/in_flight.hpp>

#include "base/recycler.hpp"
#include "engine/engine_core.hpp"
#include "loop/task.hpp"

#include <utility>

namespace berth {

namespace engine {

namespace {

// Recycled, so that a token costs no allocation.
class TokenEnd final : public loop::Task {
public:
    static void send(Worker& worker, ConnectionId id) {
        TokenEnd* const made = base::Recycler<TokenEnd>::take();
        made->worker_ = &worker;
        made->id_ = id;
        if (!worker.loop().post(*made)) made->cancel();
    }

    void run() override {
        if (net::ConnectionCore* connection = worker_->table().find(id_)) {
            connection->end_request();
        }
        cancel();
    }
    // The loop has left, and its connections with it.
    void cancel() override { base::Recycler<TokenEnd>::give_back(this); }

private:
    Worker* worker_ = nullptr;
    ConnectionId id_;
};

}  // namespace

}  // namespace engine

InFlight::InFlight(InFlight&& other) noexcept
    : engine_(std::exchange(other.engine_, nullptr)), id_(std::exchange(other.id_, {})) {}

InFlight& InFlight::operator=(InFlight&& other) noexcept {
    if (this == &other) return *this;
    release();
    engine_ = std::exchange(other.engine_, nullptr);
    id_ = std::exchange(other.id_, {});
    return *this;
}

InFlight::~InFlight() { release(); }

void InFlight::release() {
    Engine* const engine = std::exchange(engine_, nullptr);
    if (engine == nullptr) return;
    engine::TokenEnd::send(engine::EngineAccess::core(*engine).worker(id_.loop()), id_);
}

}  // namespace berth
