// SPDX-License-Identifier: MIT
//
// Error: from an errno to one line that says what to do.

#include <berth/result.hpp>

#include "base/port_text.hpp"

#include <berth/port.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

namespace {

// What an errno means whatever the call was. A remedy stands here only if it does not depend on
// the call either; the layer that knows more says more, with fix().
struct Meaning {
    int errno_value;
    ErrorCode code;
    std::string_view remedy;
};

constexpr std::string_view kRaiseDescriptorLimit =
    "raise the limit on open files: ulimit -n, or LimitNOFILE= of the unit";
constexpr std::string_view kRaiseSystemLimit =
    "raise the limit on open files of the whole system: sysctl fs.file-max";
constexpr std::string_view kRaiseMemory =
    "give it more memory, or a cgroup with a higher limit: MemoryMax= of the unit";

constexpr std::array kMeanings{
    Meaning{EADDRINUSE, ErrorCode::address_in_use, {}},
    Meaning{EADDRNOTAVAIL, ErrorCode::address_not_local, {}},
    Meaning{EACCES, ErrorCode::permission_denied, {}},
    Meaning{EPERM, ErrorCode::permission_denied, {}},
    Meaning{EMFILE, ErrorCode::descriptor_limit, kRaiseDescriptorLimit},
    Meaning{ENFILE, ErrorCode::descriptor_limit, kRaiseSystemLimit},
    Meaning{ENOMEM, ErrorCode::memory_limit, kRaiseMemory},
    Meaning{ENOBUFS, ErrorCode::memory_limit, kRaiseMemory},
    Meaning{EAFNOSUPPORT, ErrorCode::unsupported, {}},
    Meaning{EPROTONOSUPPORT, ErrorCode::unsupported, {}},
    Meaning{ESOCKTNOSUPPORT, ErrorCode::unsupported, {}},
    Meaning{ENOPROTOOPT, ErrorCode::unsupported, {}},
    Meaning{EOPNOTSUPP, ErrorCode::unsupported, {}},
    Meaning{ENOSYS, ErrorCode::unsupported, {}},
};

constexpr Meaning meaning_of(int errno_value) {
    const auto* known = std::ranges::find(kMeanings, errno_value, &Meaning::errno_value);
    return known != kMeanings.end() ? *known : Meaning{errno_value, ErrorCode::io, {}};
}

// "Permission denied" becomes "permission denied (EACCES)": it stands inside a line.
std::string describe_errno(int errno_value) {
    // NOLINTBEGIN(misc-include-cleaner): GNU's own; in <cstring>, which the check cannot know.
    const char* text = strerrordesc_np(errno_value);
    const char* name = strerrorname_np(errno_value);
    // NOLINTEND(misc-include-cleaner)
    if (text == nullptr || name == nullptr) return "errno " + std::to_string(errno_value);
    std::string description = text;
    const bool is_word = description.size() > 1 && std::islower(description[1]) != 0;
    if (is_word) description[0] = static_cast<char>(std::tolower(description[0]));
    return description + " (" + name + ")";
}

std::string describe_code(ErrorCode code) {
    std::string words(to_string(code));
    std::ranges::replace(words, '_', ' ');
    return words;
}

}  // namespace

struct Error::Diagnosis {
    std::string address;
    std::string detail;
    std::string remedy;
    std::optional<PortDiagnosis> port;
};

Error::Error(ErrorCode code, const char* operation) : code_(code), operation_(operation) {}

Error Error::from_errno(const char* operation, int errno_value) {
    Error error(meaning_of(errno_value).code, operation);
    error.errno_value_ = errno_value;
    return error;
}

Error::Error(const Error& other)
    : code_(other.code_),
      errno_value_(other.errno_value_),
      operation_(other.operation_),
      diagnosis_(other.diagnosis_ ? std::make_unique<Diagnosis>(*other.diagnosis_) : nullptr) {}

Error& Error::operator=(const Error& other) { return *this = Error(other); }

Error::Error(Error&&) noexcept = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

Error::Diagnosis& Error::diagnosis() {
    if (!diagnosis_) diagnosis_ = std::make_unique<Diagnosis>();
    return *diagnosis_;
}

Error&& Error::at(std::string address) && {
    diagnosis().address = std::move(address);
    return std::move(*this);
}

Error&& Error::because(std::string detail) && {
    diagnosis().detail = std::move(detail);
    return std::move(*this);
}

Error&& Error::fix(std::string remedy) && {
    diagnosis().remedy = std::move(remedy);
    return std::move(*this);
}

Error&& Error::held_by(PortDiagnosis port) && {
    Diagnosis& known = diagnosis();
    known.remedy = port.remedy;
    known.port = std::move(port);
    return std::move(*this);
}

const PortDiagnosis* Error::port() const {
    return diagnosis_ && diagnosis_->port ? &*diagnosis_->port : nullptr;
}

std::string_view Error::address() const {
    return diagnosis_ ? std::string_view(diagnosis_->address) : std::string_view();
}

std::string_view Error::detail() const {
    return diagnosis_ ? std::string_view(diagnosis_->detail) : std::string_view();
}

std::string_view Error::remedy() const {
    if (diagnosis_ && !diagnosis_->remedy.empty()) return diagnosis_->remedy;
    return meaning_of(errno_value_).remedy;
}

// With a holder the operation is of no interest any more: who holds the address says it all.
std::string Error::to_string() const {
    std::string line = port() != nullptr ? describe_code(code_) : operation_;
    if (port() != nullptr) {
        line.append(": ").append(base::headline(*port())).append(": ").append(port()->evidence);
    } else {
        if (!address().empty()) line.append(" ").append(address());
        line += ": ";
        line += errno_value_ != 0 ? describe_errno(errno_value_) : describe_code(code_);
    }
    if (!detail().empty()) line.append(": ").append(detail());
    if (!remedy().empty()) line.append("; fix: ").append(remedy());
    return line;
}

}  // namespace berth
