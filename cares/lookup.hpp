// SPDX-License-Identifier: MIT
//
// Lookup: one name that c-ares is asked for, in one question or, for both families, in two.
//
// Of two, the one that is answered first is told early (RFC 8305, 3). IPv6 goes before IPv4 when
// both are there; within a family c-ares has sorted them (RFC 6724).
//
// Threads:   one.

#pragma once

#include <berth/resolver.hpp>

#include <ares.h>

#include <utility>

namespace berth::cares {

class Lookup {
public:
    Lookup(NameQuery&& query, NameAnswer&& answer)
        : query_(std::move(query)), answer_(std::move(answer)) {}

    const NameQuery& query() const { return query_; }
    void expect(int questions) { open_ = questions; }

    // One question is answered; `found` may be null. False: others are not, yet.
    bool add(int status, const ares_addrinfo* found);
    bool has_nothing() const;  // everybody has answered, and there is no such name
    void answer();

private:
    NameQuery query_;
    NameAnswer answer_;
    int open_ = 0;
    int status_ = ARES_ENOTFOUND;  // of what failed
    ResolvedName name_;
};

}  // namespace berth::cares
