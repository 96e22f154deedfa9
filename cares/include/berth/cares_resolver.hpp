// SPDX-License-Identifier: MIT
//
// CaresResolver: a Resolver over c-ares: many questions at a time, with TTLs.
//
//     auto names = berth::CaresResolver::make();
//     berth::Engine engine(handler, {.resolver = names->get()});
//
// A component of its own, berth::cares, which needs c-ares (libc-ares-dev); berth does not. It asks
// /etc/hosts and DNS, as resolv.conf(5) says. Names that other sources of nsswitch.conf(5) have
// (those without a dot, and those in .local) go to a SystemResolver.
//
// Both families are asked for at a time; the one that is known first is told early. Only a name
// that the search list of resolv.conf(5) is to complete first (with fewer dots than `ndots`) is
// answered as a whole.
//
// Lifetime:  outlives the engines that use it. Its destructor answers what is open with what is
//            known, or with not_running, and waits for nobody.
// Threads:   resolve() from any. One thread of its own waits for all answers.
// Errors:    make() fails where c-ares cannot be begun, or with invalid_option.
// See:       RFC 8305, 3, ares_getaddrinfo(3), docs/guides/client.md

#pragma once

#include <berth/clock.hpp>
#include <berth/export.hpp>
#include <berth/resolver.hpp>
#include <berth/result.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace berth {

struct CaresResolverOptions {
    // "192.0.2.1,[2001:db8::1]:5353"; empty: those of resolv.conf(5).
    std::string servers = {};
    Duration timeout = std::chrono::seconds{2};  // of a question's first attempt; later ones longer
    unsigned tries = 3;                          // per server; at most 100
    std::size_t open_max = 1024;                 // questions at a time; past it: name_unavailable
};

class BERTH_EXPORT CaresResolver final : public Resolver {
public:
    static Result<std::unique_ptr<CaresResolver>> make(const CaresResolverOptions& options = {});
    ~CaresResolver() override;

    void resolve(NameQuery query, NameAnswer answer) override;

private:
    struct Parts;
    explicit CaresResolver(std::unique_ptr<Parts> parts);

    std::unique_ptr<Parts> parts_;
};

}  // namespace berth
