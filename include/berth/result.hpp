// SPDX-License-Identifier: MIT
//
// Result<T> and Error: how berth reports what went wrong.
//
// Expected outcomes (would block, end of stream) are not errors. Broken promises (wrong thread)
// assert. Everything between is an Error: it names the operation, the address, the errno and,
// for known causes, the remedy. No exception crosses the API.
//
// Lifetime:  values; copy and keep them as long as you like.
// Threads:   no shared state.

#pragma once

#include <berth/export.hpp>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

struct PortDiagnosis;  // port.hpp

// What kind of thing went wrong; stable, for programs. The text is for people.
enum class ErrorCode : std::uint8_t {
    invalid_address,     // the text does not parse; the detail says where and why
    invalid_option,      // an Options field out of range
    unsupported,         // valid, but this build, kernel or version cannot do it
    name_not_found,      // no such host name, or it has no address of that family
    name_unavailable,    // its name servers gave no answer; they may later
    address_not_local,   // EADDRNOTAVAIL
    address_in_use,      // EADDRINUSE, from bind or from listen
    permission_denied,   // EACCES, EPERM
    path_conflict,       // a Unix path holds something that is not ours to replace
    descriptor_limit,    // EMFILE, ENFILE
    memory_limit,        // ENOMEM, ENOBUFS
    driver_unavailable,  // the kernel or a policy refuses the driver
    already_running,     // start() on an engine that has not stopped
    not_running,         // the engine is not started, or has stopped
    would_deadlock,      // a waiting call on a thread that the wait depends on
    handler_failed,      // on_boot threw, or work given to a WorkPool
    handover_failed,     // the running generation refused, died, or did not answer in time
    io,                  // any other errno
    internal,            // a defect in berth
};

BERTH_EXPORT std::string_view to_string(ErrorCode code);

class BERTH_EXPORT Error {
public:
    // `operation` must be a string literal: "bind", "listen", "parse address".
    Error(ErrorCode code, const char* operation);
    // Chooses the code from the errno value of a failed system call (errno(3)).
    static Error from_errno(const char* operation, int errno_value);

    Error(const Error& other);
    Error& operator=(const Error& other);
    Error(Error&&) noexcept;
    Error& operator=(Error&&) noexcept;
    ~Error();

    // Adders, so that each layer says what it knows: error.at("tcp://…").because("…").fix("…").
    Error&& at(std::string address) &&;
    Error&& because(std::string detail) &&;
    Error&& fix(std::string remedy) &&;
    // Who holds the address, for address_in_use; the remedy comes from there.
    Error&& held_by(PortDiagnosis port) &&;

    ErrorCode code() const { return code_; }
    int errno_value() const { return errno_value_; }
    const char* operation() const { return operation_; }
    std::string_view address() const;
    std::string_view detail() const;
    std::string_view remedy() const;
    const PortDiagnosis* port() const;  // null: not diagnosed. Lives as long as the Error

    // One line that a system administrator can act on.
    std::string to_string() const;

private:
    struct Diagnosis;
    Diagnosis& diagnosis();

    ErrorCode code_;
    int errno_value_ = 0;
    const char* operation_;
    std::unique_ptr<Diagnosis> diagnosis_;  // most errors on hot paths have none
};

// std::expected with the one thing libstdc++ 12 leaves out: a dropped Result is a warning.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
public:
    using std::expected<T, Error>::expected;
};

inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

}  // namespace berth
