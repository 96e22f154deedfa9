// SPDX-License-Identifier: MIT
//
// ConnectionTask: what each kind of call does on the loop.

#include "engine/connection_task.hpp"

#include "engine/worker.hpp"

#include <utility>

namespace berth::engine {

bool ConnectionTask::send(Worker& worker, Call&& call, Completion&& done) {
    ConnectionTask* task = base::Recycler<ConnectionTask>::take();
    task->worker_ = &worker;
    task->call_ = std::move(call);
    task->done_ = std::move(done);
    if (worker.loop().post(*task)) return true;
    task->give_back();
    return false;
}

void ConnectionTask::run() {
    net::ConnectionTable& table = worker_->table();
    table.counters().tasks_run.add();
    net::ConnectionCore* connection =
        call_.kind == Kind::close ? table.find_any(call_.id) : table.find(call_.id);
    if (connection == nullptr) {
        table.counters().stale.add();
        return finished(Delivery::stale);
    }
    switch (call_.kind) {
        case Kind::post:
            if (!table.guarded_void(net::Callback::task, [&] { call_.task(*connection); })) {
                connection->close(CloseMode::now, CloseReason::handler_threw);
            }
            break;
        case Kind::write: return connection->write_and_tell(std::move(call_.bytes), *this);
        case Kind::wake: connection->wake(); break;
        case Kind::close: connection->close(call_.mode, CloseReason::local_close); break;
    }
    finished(Delivery::ran);
}

void ConnectionTask::cancel() {
    worker_->table().counters().tasks_cancelled.add();
    finished(Delivery::cancelled_by_stop);
}

void ConnectionTask::finished(Delivery how) {
    if (done_) {
        worker_->table().guarded_void(net::Callback::completion, [&] { done_(call_.id, how); });
    }
    give_back();
}

void ConnectionTask::give_back() {
    call_ = {};
    done_.reset();
    base::Recycler<ConnectionTask>::give_back(this);
}

}  // namespace berth::engine
