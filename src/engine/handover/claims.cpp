// SPDX-License-Identifier: MIT
//
// Claims: the same address, and for want of one the same text.

#include "engine/handover/claims.hpp"

#include <algorithm>

namespace berth::engine::handover {

namespace {

using Answer = std::optional<std::uint32_t>;

bool is_same_ip(const Endpoint& wanted, const Endpoint& real) {
    if (wanted.is_udp() != real.is_udp() || wanted.ip() != real.ip()) return false;
    const bool is_any_v6 = wanted.is_wildcard() && wanted.ip().family == 6;
    return !is_any_v6 || wanted.is_v6_only() == real.is_v6_only();
}

bool is_same_unix(const Wish& wish, const Endpoint& real, const OfferedSocket& offered) {
    if (wish.endpoint.scheme() != real.scheme()) return false;
    if (real.is_abstract()) return wish.endpoint.name() == real.name();
    return wish.path.kind == driver::PathFacts::Kind::socket && offered.path_inode != 0 &&
           wish.path.inode == offered.path_inode && wish.path.device == offered.path_device;
}

bool is_bound_as_wished(const Wish& wish, const OfferedSocket& offered) {
    const auto real = Endpoint::parse(offered.address);
    if (!real || real->is_unix() != wish.endpoint.is_unix()) return false;
    return real->is_unix() ? is_same_unix(wish, *real, offered) : is_same_ip(wish.endpoint, *real);
}

bool was_asked_alike(const Wish& wish, const OfferedSocket& offered) {
    return !wish.endpoint.is_unix() && wish.asked == offered.asked;
}

template <class Fits>
void answer(std::span<const Wish> wishes, std::span<const OfferedSocket> offered, Fits&& fits,
            std::vector<Answer>& answers) {
    for (std::size_t i = 0; i < wishes.size(); ++i) {
        if (answers[i]) continue;
        for (const OfferedSocket& socket : offered) {
            const bool is_free =
                std::ranges::find(answers, Answer(socket.listener)) == answers.end();
            if (!is_free || !fits(wishes[i], socket)) continue;
            answers[i] = socket.listener;
            break;
        }
    }
}

}  // namespace

std::vector<Answer> match(std::span<const Wish> wishes, std::span<const OfferedSocket> offered) {
    std::vector<Answer> answers(wishes.size());
    answer(wishes, offered, is_bound_as_wished, answers);
    answer(wishes, offered, was_asked_alike, answers);
    return answers;
}

}  // namespace berth::engine::handover
