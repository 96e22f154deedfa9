// SPDX-License-Identifier: MIT
//
// JobBook: keeping the order, and what becomes of whom when a connection goes.

#include "engine/offload/job_book.hpp"

#include "engine/worker.hpp"

#include <utility>

namespace berth::engine::offload {

JobBook::JobBook(Worker& worker) : worker_(worker), way_(std::make_shared<WayBack>(worker)) {}

JobBook::~JobBook() {
    way_->shut();
    while (!lines_.empty()) forget(lines_.begin()->first);
}

void JobBook::add(net::ConnectionCore& connection, Job& job) {
    Line& line = lines_[connection.id()];
    (line.first == nullptr ? line.first : line.last->behind) = &job;
    line.last = &job;
    connection.begin_request();
}

// Whose connection is gone is in no line.
void JobBook::returned(Job& job) {
    const ConnectionId id = job.id();
    if (!lines_.contains(id)) {
        delete &job;
        return;
    }
    while (Job* const next = take_next(id)) follow(std::unique_ptr<Job>(next));
}

// The first in line, if it is back. Looked up each time: what followed may have changed anything.
Job* JobBook::take_next(ConnectionId id) {
    const auto found = lines_.find(id);
    if (found == lines_.end()) return nullptr;
    Line& line = found->second;
    if (line.first == nullptr || !line.first->is_back()) return nullptr;
    Job* const next = std::exchange(line.first, line.first->behind);
    if (line.is_empty()) lines_.erase(found);
    return next;
}

void JobBook::follow(std::unique_ptr<Job> job) {
    net::ConnectionTable& table = worker_.table();
    const ConnectionId id = job->id();
    if (net::ConnectionCore* const connection = table.find(id)) {
        const bool went_well = job->has_rest() && table.guarded_void(net::Callback::task, [&] {
            job->follow(*connection);
        });
        if (!went_well) connection->close(CloseMode::now, CloseReason::handler_threw);
    }
    job.reset();  // with the result, before a stop goes on
    end_request(id);
}

void JobBook::end_request(ConnectionId id) {
    if (net::ConnectionCore* const connection = worker_.table().find(id)) {
        connection->end_request();
    }
}

bool JobBook::begin_waiting(net::ConnectionCore& connection) {
    connection.pause_by_user();
    Line& line = lines_[connection.id()];
    if (std::exchange(line.waits_for_room, true)) return false;
    connection.begin_request();
    return true;
}

bool JobBook::room(ConnectionId id) {
    const auto found = lines_.find(id);
    if (found == lines_.end()) return false;
    found->second.waits_for_room = false;
    if (found->second.is_empty()) lines_.erase(found);
    net::ConnectionCore* const connection = worker_.table().find(id);
    if (connection == nullptr) return false;
    connection->resume_by_user();
    connection->end_request();
    return true;
}

void JobBook::forget(ConnectionId id) {
    const auto found = lines_.find(id);
    if (found == lines_.end()) return;
    Job* job = found->second.first;
    lines_.erase(found);
    while (job != nullptr) {
        // Whoever is not back may go at any moment, once it is abandoned.
        Job* const abandoned = std::exchange(job, job->behind);
        if (abandoned->is_back()) {
            delete abandoned;
        } else {
            abandoned->abandon();
        }
    }
}

}  // namespace berth::engine::offload
