// SPDX-License-Identifier: MIT
//
// Exceptions: the table.

#include "differential/exceptions.hpp"

#include "differential/machine.hpp"
#include "differential/player.hpp"
#include "differential/step.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>
#include <set>
#include <span>
#include <utility>

namespace berth::differential {

namespace {

template <class Value>
bool is_one_of(Value value, std::initializer_list<Value> values) {
    return std::ranges::find(values, value) != values.end();
}

bool is_full_or_fine(int error) { return error == 0 || error == EAGAIN; }

bool is_how_much(const Situation& its) {
    if (!its.is_answer || !its.is_tight) return false;
    if (its.real.error == its.simulated.error && its.real.words == its.simulated.words) return true;
    return is_one_of(its.step.call, {Call::send, Call::fill}) && is_full_or_fine(its.real.error) &&
           is_full_or_fine(its.simulated.error);
}

bool is_when_writable(const Situation& its) {
    if (its.is_answer || !its.is_tight) return false;
    Readiness alike = its.simulated_readiness;
    alike.writable = its.real_readiness.writable;
    return alike == its.real_readiness;
}

bool is_what_arrived(const Situation& its) {
    if (!its.is_tight) return false;
    if (its.is_answer) return !is_question(its.step.call);
    // Bytes that arrive after shutdown(2) are answered by a reset.
    return is_one_of(its.step.call, {Call::shutdown, Call::close}) ||
           its.real_readiness.failed == its.simulated_readiness.failed;
}

bool is_leftover_count(const Situation& its) {
    return its.is_answer && !its.is_connected &&
           is_one_of(its.step.call, {Call::unacknowledged, Call::never_sent}) &&
           its.real.error == its.simulated.error;
}

// Did a socket connect to an IPv6 address, and to an IPv4 one?
bool has_changed_family(const Situation& its) {
    std::set<std::pair<int, bool>> connected;
    for (const Step& step : its.history) {
        if (step.call != Call::connect) continue;
        const bool is_true_v6 = is_one_of(step.place.host, {Host::any_v6, Host::loopback_v6});
        connected.emplace(step.slot, is_true_v6);
        if (connected.contains({step.slot, !is_true_v6})) return true;
    }
    return false;
}

// Did a socket connect that is to listen now, or the other way round, and does Linux refuse that?
bool has_changed_role(const Situation& its) {
    if (!its.is_answer || its.real.error != EINVAL) return false;
    if (!is_one_of(its.step.call, {Call::connect, Call::listen})) return false;
    const Call other = its.step.call == Call::listen ? Call::connect : Call::listen;
    bool was_other = false;
    for (const Step& step : its.history) {
        if (step.made == its.step.slot) was_other = false;  // another socket
        if (step.slot == its.step.slot && step.call == other) was_other = true;
    }
    return was_other;
}

constexpr std::array kExceptions{
    Exception{.name = "how much a buffer takes",
              .reason = "Linux counts what an skb costs, the simulated kernel counts bytes",
              .reference = "socket(7) SO_SNDBUF, include/net/sock.h sk_wmem_queued_add",
              .afterwards = Afterwards::goes_on,
              .applies = is_how_much},
    Exception{.name = "when a full socket is writable again",
              .reason = "the same, seen by poll",
              .reference = "include/net/sock.h sk_stream_min_wspace",
              .afterwards = Afterwards::goes_on,
              .applies = is_when_writable},
    Exception{.name = "what of a full buffer is with the peer",
              .reason = "the same, seen by the peer: fewer bytes or more before a FIN or RST",
              .reference = "tcp(7) tcp_adv_win_scale, net/ipv4/tcp_output.c __tcp_select_window",
              .afterwards = Afterwards::ends_sequence,
              .applies = is_what_arrived},
    Exception{.name = "which of several SO_REUSEPORT sockets",
              .reason = "a hash with a secret of the boot chooses",
              .reference = "socket(7), net/core/sock_reuseport.c reuseport_select_sock",
              .afterwards = Afterwards::ends_sequence,
              .applies = [](const Situation& its) { return its.was_hashed; }},
    Exception{.name = "SIOCOUTQ of a socket that is no longer connected",
              .reason = "Linux subtracts what counters are left; a delayed ACK may be missing",
              .reference = "net/ipv4/tcp.c tcp_ioctl, tcp_disconnect",
              .afterwards = Afterwards::goes_on,
              .applies = is_leftover_count},
    Exception{.name = "a socket connected to IPv6 and then to IPv4, or back",
              .reason = "Linux keeps parts of the first address; no server does this",
              .reference = "net/ipv6/datagram.c __ip6_datagram_connect, net/ipv6/tcp_ipv6.c",
              .afterwards = Afterwards::ends_sequence,
              .applies = has_changed_family},
    Exception{.name = "a socket that listened and then connects, or back",
              .reason = "some builds of Linux 6.18 refuse it, others do not; no server does this",
              .reference = "listen(2) and connect(2), which do not speak of it",
              .afterwards = Afterwards::ends_sequence,
              .applies = has_changed_role},
};

}  // namespace

std::span<const Exception> exceptions() { return kExceptions; }

const Exception* exception_for(const Situation& situation) {
    const auto applies = [&](const Exception& exception) { return exception.applies(situation); };
    const auto found = std::ranges::find_if(kExceptions, applies);
    return found == kExceptions.end() ? nullptr : &*found;
}

}  // namespace berth::differential
