// SPDX-License-Identifier: MIT
//
// Channel: beginning, asking, waiting.

#include "channel.hpp"

#include <poll.h>
#include <resolv.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace berth::cares {

namespace {

using std::chrono::milliseconds;

int family_of(AddressFamily family) {
    switch (family) {
        case AddressFamily::v4: return AF_INET;
        case AddressFamily::v6: return AF_INET6;
        case AddressFamily::any: break;
    }
    return AF_UNSPEC;
}

Error cannot_begin(int status) {
    return Error(status == ARES_ENOMEM ? ErrorCode::memory_limit : ErrorCode::io, "begin c-ares")
        .because(ares_strerror(status));
}

}  // namespace

// ── Beginning ────────────────────────────────────────────────────────────────────────────────

Result<std::unique_ptr<Channel>> Channel::open(const CaresResolverOptions& options) {
    static const int library = ares_library_init(ARES_LIB_INIT_ALL);
    if (library != ARES_SUCCESS) return fail(cannot_begin(library));
    std::unique_ptr<Channel> channel(new Channel());
    channel->read_search_list();
    if (auto begun = channel->begin(channel->searching_, options, Search::yes); !begun) {
        return fail(std::move(begun.error()));
    }
    if (auto begun = channel->begin(channel->plain_, options, Search::no); !begun) {
        return fail(std::move(begun.error()));
    }
    return channel;
}

// c-ares does not tell its own. It and the C library read the same file and variables; for what
// decides here, c-ares is told.
void Channel::read_search_list() {
    struct __res_state state{};
    if (::res_ninit(&state) != 0) return;
    has_search_list_ = state.dnsrch[0] != nullptr;
    dots_min_ = state.ndots;
    ::res_nclose(&state);
}

Result<void> Channel::begin(Ares& ares, const CaresResolverOptions& options, Search search) {
    ares_options wanted{};
    wanted.timeout =
        static_cast<int>(std::chrono::duration_cast<milliseconds>(options.timeout).count());
    wanted.tries = static_cast<int>(options.tries);
    wanted.ndots = static_cast<int>(dots_min_);
    wanted.sock_state_cb = &Channel::watch;
    wanted.sock_state_cb_data = this;
    int given = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_SOCK_STATE_CB;
    if (search == Search::no) given |= ARES_OPT_DOMAINS;  // none
    ares_channel begun = nullptr;
    if (const int status = ares_init_options(&begun, &wanted, given); status != ARES_SUCCESS) {
        return fail(cannot_begin(status));
    }
    ares.reset(begun);
    if (options.servers.empty()) return {};
    const int set = ares_set_servers_ports_csv(begun, options.servers.c_str());
    if (set == ARES_SUCCESS) return {};
    return fail(Error(ErrorCode::invalid_option, "begin c-ares")
                    .because("CaresResolverOptions::servers: \"" + options.servers + '"')
                    .fix("write addresses, like 192.0.2.1:53,[2001:db8::1]:53"));
}

// ── Asking ───────────────────────────────────────────────────────────────────────────────────

// Each is one of its Lookup's, which the last one to be answered takes with it.
struct Channel::Question {
    Channel& channel;
    Lookup* lookup;
    Search search;
};

void Channel::ask(NameQuery&& query, NameAnswer&& answer) {
    const bool is_plain = query.family == AddressFamily::any && is_asked_as_it_is(query.host);
    ask(std::make_unique<Lookup>(std::move(query), std::move(answer)),
        is_plain ? Search::no : Search::yes);
}

bool Channel::is_asked_as_it_is(std::string_view host) const {
    const auto dots = static_cast<unsigned>(std::ranges::count(host, '.'));
    return host.ends_with('.') || dots >= dots_min_;
}

void Channel::ask(std::unique_ptr<Lookup> lookup, Search search) {
    const std::string host = lookup->query().host;  // that may go with the first answer
    std::vector<int> families{family_of(lookup->query().family)};
    if (search == Search::no) families = {AF_INET6, AF_INET};
    lookup->expect(static_cast<int>(families.size()));
    Lookup* const shared = lookup.release();
    for (const int family : families) {
        ares_addrinfo_hints hints{};
        hints.ai_family = family;
        hints.ai_socktype = SOCK_STREAM;  // each address once
        auto question = std::make_unique<Question>(*this, shared, search);
        ares_getaddrinfo(search == Search::no ? plain_.get() : searching_.get(), host.c_str(),
                         nullptr, &hints, &answered, question.release());
    }
}

void Channel::answered(void* question, int status, int, ares_addrinfo* found) {
    const std::unique_ptr<Question> own(static_cast<Question*>(question));
    const bool is_last = own->lookup->add(status, found);
    if (found != nullptr) ares_freeaddrinfo(found);
    if (!is_last) return;
    std::unique_ptr<Lookup> lookup(own->lookup);
    const bool is_to_be_searched = own->search == Search::no && own->channel.has_search_list_ &&
                                   !lookup->query().host.ends_with('.');
    if (!is_to_be_searched || !lookup->has_nothing()) return lookup->answer();
    own->channel.ask(std::move(lookup), Search::yes);
}

// ── Waiting ──────────────────────────────────────────────────────────────────────────────────

void Channel::watch(void* channel, ares_socket_t socket, int readable, int writable) {
    auto& sockets = static_cast<Channel*>(channel)->sockets_;
    const auto events =
        static_cast<short>((readable != 0 ? POLLIN : 0) | (writable != 0 ? POLLOUT : 0));
    if (events == 0) {
        sockets.erase(socket);
    } else {
        sockets[socket] = events;
    }
}

void Channel::wait(int wake) {
    std::vector<pollfd> polled{{.fd = wake, .events = POLLIN, .revents = 0}};
    for (const auto& [socket, events] : sockets_) {
        polled.push_back({.fd = socket, .events = events, .revents = 0});
    }
    timeval of_searching{};
    timeval of_plain{};
    const timeval* const left = ares_timeout(
        plain_.get(), ares_timeout(searching_.get(), nullptr, &of_searching), &of_plain);
    const int timeout =
        left == nullptr ? -1 : static_cast<int>(left->tv_sec * 1000 + left->tv_usec / 1000 + 1);
    if (::poll(polled.data(), polled.size(), timeout) > 0) {
        for (std::size_t i = 1; i < polled.size(); ++i) process(polled[i].fd, polled[i].revents);
    }
    for (const Ares* ares : {&searching_, &plain_}) {
        ares_process_fd(ares->get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // timeouts
    }
}

// An earlier one may have closed it. Who does not know the socket leaves it alone.
void Channel::process(ares_socket_t socket, short events) {
    if (events == 0 || !sockets_.contains(socket)) return;
    const auto has = [events](int wanted) { return (events & (wanted | POLLERR | POLLHUP)) != 0; };
    for (const Ares* ares : {&searching_, &plain_}) {
        ares_process_fd(ares->get(), has(POLLIN) ? socket : ARES_SOCKET_BAD,
                        has(POLLOUT) ? socket : ARES_SOCKET_BAD);
    }
}

}  // namespace berth::cares
