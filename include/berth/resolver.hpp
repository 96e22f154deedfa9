// SPDX-License-Identifier: MIT
//
// Resolver: from host names to addresses, off the loops.
//
// An engine asks one for each name that is dialled. Each has a SystemResolver of its own; another
// one is named in Options::resolver:
//
//     StaticResolver names;                    // yours: a table, a cache, a service registry
//     berth::Engine engine(handler, {.resolver = &names});
//
// Lifetime:  a resolver outlives the engines that use it.
// Threads:   resolve() is called from any loop, several at once, and must not block. The answer
//            may be given on any thread, also from inside resolve(); so may early ones.
// Errors:    name_not_found: that name, or an address of that family, does not exist.
//            name_unavailable: it could not be asked; a later attempt may succeed (DialRetry).
//            Any other code ends the dial, too.
// See:       docs/guides/client.md, docs/decisions/0016-names.md

#pragma once

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>
#include <berth/export.hpp>
#include <berth/function.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace berth {

enum class AddressFamily : std::uint8_t { any, v4, v6 };

struct ResolvedName {
    // The best first (RFC 6724); ports do not matter. At least one.
    std::vector<IpEndpoint> addresses;
    std::optional<Duration> ttl = {};  // how long they may be kept; nothing: not known
};

using EarlyAnswer = UniqueFunction<void(ResolvedName&&)>;

struct NameQuery {
    std::string host;  // ASCII letters, digits, hyphens, underscores and dots
    AddressFamily family = AddressFamily::any;
    // Requested: nobody waits for the answer any more. It is to be given nevertheless.
    std::stop_token stop = {};
    // For all that is known while the rest is still awaited: one family of two. May be empty, need
    // not be called, and not after the answer, which has these addresses too. RFC 8305, 3.
    EarlyAnswer early = {};
};

// To be called exactly once.
using NameAnswer = UniqueFunction<void(Result<ResolvedName>&&)>;

class BERTH_EXPORT Resolver {
public:
    Resolver() = default;
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;
    virtual ~Resolver();

    virtual void resolve(NameQuery query, NameAnswer answer) = 0;
};

struct SystemResolverOptions {
    std::size_t waiting_max = 1024;  // questions that are not begun; past it: name_unavailable
};

// getaddrinfo(3) on one thread: all that nsswitch.conf(5) names, one question after the other. The
// thread is made by the first question.
//
// Lifetime:  the destructor answers what is open with not_running and does not wait for a question
//            that the C library is busy with: that thread ends by itself. Not to be destroyed from
//            inside an answer.
class BERTH_EXPORT SystemResolver final : public Resolver {
public:
    explicit SystemResolver(const SystemResolverOptions& options = {});
    ~SystemResolver() override;

    void resolve(NameQuery query, NameAnswer answer) override;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace berth
