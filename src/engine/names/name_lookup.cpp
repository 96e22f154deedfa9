// SPDX-License-Identifier: MIT
//
// NameLookup: asking, and coming back.

#include "engine/names/name_lookup.hpp"

#include "engine/core.hpp"
#include "engine/offload/job_book.hpp"

namespace berth::engine {

void NameLookup::begin(Worker& worker, ConnectionId dial, NameQuery&& query) {
    const auto way = worker.jobs().way();
    query.early = [dial, way](ResolvedName&& known) {
        come_back(std::make_unique<NameLookup>(dial, way, Kind::early), std::move(known));
    };
    auto lookup = std::make_unique<NameLookup>(dial, way, Kind::whole);
    worker.core().resolver().resolve(
        std::move(query), [lookup = std::move(lookup)](Result<ResolvedName>&& answer) mutable {
            come_back(std::move(lookup), std::move(answer));
        });
}

void NameLookup::come_back(std::unique_ptr<NameLookup> lookup, Result<ResolvedName>&& answer) {
    lookup->answer_.emplace(std::move(answer));
    NameLookup* const task = lookup.release();  // the loop's, if it takes it
    if (!offload::WayBack::post(task->way_, *task)) delete task;
}

void NameLookup::run() {
    const std::unique_ptr<NameLookup> self(this);
    net::ConnectionTable& table = way_->worker().table();
    if (kind_ == Kind::whole) return table.resolved(dial_, std::move(*answer_));
    table.resolved_early(dial_, **answer_);
}

}  // namespace berth::engine
