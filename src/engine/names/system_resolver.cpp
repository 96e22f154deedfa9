// SPDX-License-Identifier: MIT
//
// SystemResolver: the public face of a LookupThread.

#include "engine/names/lookup_thread.hpp"
#include "os/name_lookup.hpp"

#include <berth/resolver.hpp>

#include <utility>

namespace berth {

Resolver::~Resolver() = default;

struct SystemResolver::Parts {
    explicit Parts(std::size_t waiting_max)
        : thread(std::make_shared<engine::LookupThread>(waiting_max, &os::look_up_name)) {}
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;
    ~Parts() { thread->end(); }

    std::shared_ptr<engine::LookupThread> thread;
};

SystemResolver::SystemResolver(const SystemResolverOptions& options)
    : parts_(std::make_unique<Parts>(options.waiting_max)) {}

SystemResolver::~SystemResolver() = default;

void SystemResolver::resolve(NameQuery query, NameAnswer answer) {
    parts_->thread->ask(std::move(query), std::move(answer));
}

}  // namespace berth
