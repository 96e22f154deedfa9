// SPDX-License-Identifier: MIT
//
// DialTask: begins the attempt, or tells why there is none.

#include "engine/dial_task.hpp"

#include "engine/worker.hpp"

#include <memory>
#include <utility>

namespace berth::engine {

DialTask::DialTask(Worker& worker, Destination to, DialOptions&& options)
    : worker_(worker), to_(std::move(to)), options_(std::move(options)) {}

bool DialTask::send(Worker& worker, const Destination& to, DialOptions&& options) {
    std::unique_ptr<DialTask> task(new DialTask(worker, to, std::move(options)));
    if (!worker.loop().post(*task)) return false;
    [[maybe_unused]] const DialTask* const sent = task.release();  // the loop's, until it has run
    return true;
}

void DialTask::run() {
    const std::unique_ptr<DialTask> self(this);
    worker_.table().counters().tasks_run.add();
    auto begun = worker_.table().connect(to_, std::move(options_));
    if (!begun) failed(std::move(begun.error()));
}

void DialTask::cancel() {
    const std::unique_ptr<DialTask> self(this);
    worker_.table().counters().tasks_cancelled.add();
    failed(Error(ErrorCode::not_running, "connect")
               .at(to_.to_string())
               .because("the engine has stopped"));
}

void DialTask::failed(Error&& error) {
    if (!options_.done) return;
    worker_.table().guarded_void(net::Callback::completion,
                                 [&] { options_.done(worker_, fail(std::move(error))); });
}

}  // namespace berth::engine
