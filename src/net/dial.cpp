// SPDX-License-Identifier: MIT
//
// Dial: rounds, races, and their ends.

#include "net/dial.hpp"

#include "net/connection_table.hpp"
#include "net/dial_order.hpp"
#include "os/ip_address.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace berth::net {

namespace {

// RFC 8305, 8: less would make a flood of what is meant to be patience.
constexpr Duration kAttemptDelayMin = std::chrono::milliseconds{10};
constexpr Duration kAttemptDelayMax = std::chrono::seconds{10};
// RFC 8305, 3 and 8: for so long IPv4 alone waits for IPv6.
constexpr Duration kResolutionDelay = std::chrono::milliseconds{50};

}  // namespace

Dial::Dial(ConnectionTable& table, ConnectionCore& connection, Destination to, DialPlan plan)
    : table_(table),
      connection_(connection),
      to_(std::move(to)),
      plan_(std::move(plan)),
      back_off_(plan_.retry, table.system().random()) {}

Dial::~Dial() { table_.loop().timers().cancel(*this); }

void Dial::begin() { begin_round(); }

// ── A round: every address once ──────────────────────────────────────────────────────────────

void Dial::begin_round() {
    failures_.begin_round();
    addresses_.clear();
    next_ = 0;
    if (!to_.is_name()) {
        addresses_ = {to_.endpoint()};
        return race();
    }
    const auto here = addresses_of_localhost(to_.host());
    if (here.empty()) return ask(wanted_family(to_, plan_.local));
    learn(here);
    race();
}

void Dial::ask(AddressFamily family) {
    phase_ = Phase::resolving;
    is_asking_ = true;
    nobody_waits_ = std::stop_source();
    table_.host().resolve(
        connection_.id(),
        {.host = to_.host(), .family = family, .stop = nobody_waits_.get_token()});
}

void Dial::stop_asking() {
    is_asking_ = false;
    nobody_waits_.request_stop();
}

// One that failed after early ones adds nothing to them.
void Dial::resolved(Result<ResolvedName>&& answer) {
    if (!std::exchange(is_asking_, false)) return;
    if (answer) learn(answer->addresses);
    if (!addresses_.empty()) return race();
    failures_.add_unresolved(
        answer
            ? Error(ErrorCode::name_not_found, "resolve").because("no address that could be tried")
            : std::move(answer.error()));
    end_round();
}

void Dial::resolved_early(const ResolvedName& known) {
    if (!is_asking_) return;
    learn(known.addresses);
    if (addresses_.empty()) return;
    const bool is_worth_a_wait =
        phase_ == Phase::resolving && wanted_family(to_, plan_.local) == AddressFamily::any &&
        std::ranges::none_of(addresses_,
                             [](const Endpoint& to) { return to.ip().family == os::kIpv6; });
    if (!is_worth_a_wait) return race();
    if (!is_armed()) table_.loop().timers().arm(*this, table_.loop().now() + kResolutionDelay);
}

// Behind those that were tried already.
void Dial::learn(std::span<const IpEndpoint> known) {
    addresses_.resize(next_);
    for (Endpoint& to : dial_order(to_, wanted_family(to_, plan_.local), known)) {
        const bool is_new = std::ranges::find(addresses_, to) == addresses_.end();
        if (is_new && addresses_.size() < kDialAddressesMax) addresses_.push_back(std::move(to));
    }
}

// Begins, or goes on with more addresses than before: at once, unless the last one that was begun
// has its time alone (RFC 8305, 5).
void Dial::race() {
    const bool was_racing = std::exchange(phase_, Phase::racing) == Phase::racing;
    if (was_racing && is_armed()) return;
    start_next();
}

// The next one that can be begun at all; those after it follow by and by, or when one has failed.
void Dial::start_next() {
    table_.loop().timers().cancel(*this);
    while (next_ < addresses_.size()) {
        const Endpoint& to = addresses_[next_++];
        const int errno_value = start(to);
        if (phase_ != Phase::racing) return;
        if (errno_value != 0) {
            failures_.add(to, errno_value);
            continue;
        }
        if (next_ < addresses_.size() || is_asking_) {
            table_.loop().timers().arm(*this, table_.loop().now() + plan_.attempt_delay);
        }
        return;
    }
    if (connecting_ == 0 && !is_asking_) end_round();
}

int Dial::start(const Endpoint& to) {
    const auto socket = table_.open_own(to, plan_.local);
    if (!socket) return socket.error().errno_value() != 0 ? socket.error().errno_value() : EINVAL;
    if (to.is_datagram() || !to.is_stream()) return connect_at_once(*socket, to);
    Attempt& attempt = free_attempt();
    attempt.descriptor = *socket;
    attempt.to = to;
    attempt.state = Attempt::State::connecting;
    ++connecting_;
    ++unclosed_;
    const auto started = table_.driver().connect(attempt, to);
    if (!started) close(attempt);
    return started.errno_value();
}

// Of datagrams nobody is asked: the first address that there is a way to will do. A Unix socket of
// packets is connected when the call returns.
int Dial::connect_at_once(driver::Descriptor socket, const Endpoint& to) {
    const auto connected = table_.system().connect(socket, to);
    if (!connected) {
        table_.system().close(socket);
        return connected.errno_value();
    }
    win(socket, to);
    return 0;
}

Dial::Attempt& Dial::free_attempt() {
    for (const auto& attempt : attempts_) {
        if (attempt->state == Attempt::State::free) return *attempt;
    }
    return *attempts_.emplace_back(std::make_unique<Attempt>(*this));
}

void Dial::end_round() {
    table_.loop().timers().cancel(*this);
    const auto pause = failures_.may_pass() ? back_off_.next() : std::nullopt;
    const Instant again = table_.loop().now() + pause.value_or(Duration::zero());
    if (!pause || again >= plan_.deadline) return connection_.fail_dial(failures_.last_errno());
    phase_ = Phase::pausing;
    table_.loop().timers().arm(*this, again);
}

void Dial::on_due() {
    if (phase_ == Phase::pausing) return begin_round();
    if (phase_ == Phase::resolving || phase_ == Phase::racing) race();
}

// ── From the attempts ────────────────────────────────────────────────────────────────────────

// The duplicate is made before the driver can have read anything: it is told to close in the very
// call that tells it is connected.
void Dial::connected(Attempt& attempt, int errno_value) {
    if (errno_value == 0) {
        const auto copy = table_.system().duplicate(attempt.descriptor);
        if (copy) return win(*copy, attempt.to);
        errno_value = copy.errno_value();
    }
    failures_.add(attempt.to, errno_value);
    close(attempt);
    if (phase_ == Phase::racing) start_next();
}

void Dial::closed(Attempt& attempt) {
    attempt.state = Attempt::State::free;
    --unclosed_;
    settle_when_closed();
}

void Dial::close(Attempt& attempt) {
    if (attempt.state != Attempt::State::connecting) return;
    attempt.state = Attempt::State::closing;
    --connecting_;
    table_.driver().close(attempt, driver::Ending::orderly);
}

void Dial::close_all() {
    for (const auto& attempt : attempts_) close(*attempt);
}

// ── The end ──────────────────────────────────────────────────────────────────────────────────

void Dial::win(driver::Descriptor socket, const Endpoint& to) {
    phase_ = Phase::won;
    stop_asking();
    winner_ = {.socket = socket, .peer = to, .descriptors_max = plan_.descriptors_max};
    table_.loop().timers().cancel(*this);
    close_all();
    settle_when_closed();
}

void Dial::give_up() {
    if (phase_ == Phase::giving_up || phase_ == Phase::over) return;
    phase_ = Phase::giving_up;
    table_.loop().timers().cancel(*this);
    stop_asking();
    drop_winner();
    for (const auto& attempt : attempts_) {
        if (attempt->state == Attempt::State::connecting) failures_.add(attempt->to, 0);
    }
    failures_.note_untried(addresses_.size() - next_);
    close_all();
    settle_when_closed();
}

void Dial::settle_when_closed() {
    const bool is_ending = phase_ == Phase::won || phase_ == Phase::giving_up;
    if (!is_ending || unclosed_ > 0 || std::exchange(is_settling_, true)) return;
    table_.settle_dial_later(connection_);
}

void Dial::abandon() {
    table_.loop().timers().cancel(*this);
    stop_asking();
    for (const auto& attempt : attempts_) {
        if (attempt->state == Attempt::State::connecting) failures_.add(attempt->to, 0);
        if (driver::is_open(attempt->descriptor)) table_.system().close(attempt->descriptor);
        attempt->descriptor = driver::Descriptor::none;
    }
    drop_winner();
    phase_ = Phase::over;
}

void Dial::drop_winner() {
    const Winner dropped = std::exchange(winner_, {});
    if (driver::is_open(dropped.socket)) table_.system().close(dropped.socket);
}

Dial::Winner Dial::take_winner() {
    phase_ = Phase::over;
    return std::exchange(winner_, {});
}

Result<void> check_dial(const DialOptions& options) {
    const bool is_patient =
        options.attempt_delay >= kAttemptDelayMin && options.attempt_delay <= kAttemptDelayMax;
    if (!is_patient) {
        return fail(Error(ErrorCode::invalid_option, "connect")
                        .because("DialOptions::attempt_delay is not between 10 ms and 10 s"));
    }
    return check_retry(options.retry);
}

}  // namespace berth::net
