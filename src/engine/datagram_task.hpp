// SPDX-License-Identifier: MIT
//
// DatagramTask: a datagram that another thread sends, on its way to the loop with the socket.
//
// Lifetime:  recycled memory; nothing is allocated per datagram but its Buffer, by who made it, and
//            a long Unix name.
// Threads:   sent on any, run on the loop's.

#pragma once

#include "base/recycler.hpp"
#include "engine/worker.hpp"
#include "loop/task.hpp"

#include <berth/buffer.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <utility>

namespace berth::engine {

class DatagramTask final : public loop::Task {
public:
    struct Call {
        std::size_t listener = 0;
        Endpoint to;
        Buffer bytes;
    };

    static bool send(Worker& worker, Call&& call) {
        DatagramTask* task = base::Recycler<DatagramTask>::take();
        task->worker_ = &worker;
        task->call_ = std::move(call);
        if (worker.loop().post(*task)) return true;
        task->give_back();
        return false;
    }

    void run() override {
        net::ConnectionTable& table = worker_->table();
        table.counters().tasks_run.add();
        net::DatagramPort* port = worker_->datagram_port(call_.listener);
        if (port == nullptr || !port->send_to(call_.to, call_.bytes.bytes())) {
            table.counters().datagrams.refused.add();
        }
        give_back();
    }

    void cancel() override {
        worker_->table().counters().tasks_cancelled.add();
        give_back();
    }

private:
    void give_back() {
        call_ = {};
        base::Recycler<DatagramTask>::give_back(this);
    }

    Worker* worker_ = nullptr;
    Call call_;
};

}  // namespace berth::engine
