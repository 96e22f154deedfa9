// SPDX-License-Identifier: MIT
//
// DialFailures: what went wrong with each address, and whether it may pass; as one Error.
//
// Of the round under way: each attempt of DialRetry begins anew.

#pragma once

#include <berth/destination.hpp>
#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace berth::net {

class DialFailures {
public:
    void begin_round();
    // 0: there was no answer when the dial ended.
    void add(const Endpoint& to, int errno_value);
    void add_unresolved(Error&& error) { unresolved_ = std::move(error); }
    void note_untried(std::size_t count) { untried_ = count; }

    // May another attempt have more luck?
    bool may_pass() const;
    // Of the address that failed last; 0: of none.
    int last_errno() const { return last_errno_; }
    // `errno_value` is what ended the dial; 0: that its name was not resolved, or somebody's wish.
    Error error(const Destination& to, int errno_value) const;

private:
    struct Failure {
        Endpoint to;
        int errno_value;
    };

    std::string reasons() const;

    std::vector<Failure> failures_;
    std::optional<Error> unresolved_;
    std::size_t untried_ = 0;
    unsigned rounds_ = 0;
    int last_errno_ = 0;
};

}  // namespace berth::net
