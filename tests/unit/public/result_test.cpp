// SPDX-License-Identifier: MIT
//
// Error and Result: codes from errnos, the one line that a person reads, and value semantics.

#include <berth/result.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <ostream>
#include <string>

namespace berth {
namespace {

Error denied() {
    return Error::from_errno("bind", EACCES)
        .at("tcp://127.0.0.1:80")
        .because("ports below 1024 need CAP_NET_BIND_SERVICE")
        .fix("use a port above");
}

TEST(Error, PrintsOneLineThatSaysWhatToDo) {
    EXPECT_EQ(denied().to_string(),
              "bind tcp://127.0.0.1:80: permission denied (EACCES): ports below 1024 need "
              "CAP_NET_BIND_SERVICE; fix: use a port above");
}

TEST(Error, PrintsOnlyWhatItKnows) {
    EXPECT_EQ(Error::from_errno("listen", EADDRINUSE).to_string(),
              "listen: address already in use (EADDRINUSE)");
    EXPECT_EQ(Error(ErrorCode::already_running, "start").to_string(), "start: already running");
}

TEST(Error, PrintsAnErrnoThatNobodyKnows) {
    EXPECT_EQ(Error::from_errno("read", 4095).to_string(), "read: errno 4095");
}

TEST(Error, KnowsTheRemedyOfALimitWhateverTheCall) {
    const Error error = Error::from_errno("accept", EMFILE);
    EXPECT_EQ(error.code(), ErrorCode::descriptor_limit);
    EXPECT_TRUE(error.remedy().starts_with("raise the limit on open files")) << error.remedy();
}

TEST(Error, PrefersTheRemedyOfTheLayerThatKnowsMore) {
    EXPECT_EQ(Error::from_errno("accept", EMFILE).fix("fewer loops").remedy(), "fewer loops");
}

struct Mapping {
    int errno_value;
    ErrorCode code;

    friend std::ostream& operator<<(std::ostream& out, const Mapping& mapping) {
        return out << mapping.errno_value;
    }
};

class ErrorFromErrno : public testing::TestWithParam<Mapping> {};

TEST_P(ErrorFromErrno, ChoosesTheCode) {
    const Error error = Error::from_errno("bind", GetParam().errno_value);
    EXPECT_EQ(error.code(), GetParam().code);
    EXPECT_EQ(error.errno_value(), GetParam().errno_value);
    EXPECT_STREQ(error.operation(), "bind");
}

INSTANTIATE_TEST_SUITE_P(Known, ErrorFromErrno,
                         testing::Values(Mapping{EADDRINUSE, ErrorCode::address_in_use},
                                         Mapping{EADDRNOTAVAIL, ErrorCode::address_not_local},
                                         Mapping{EACCES, ErrorCode::permission_denied},
                                         Mapping{EPERM, ErrorCode::permission_denied},
                                         Mapping{EMFILE, ErrorCode::descriptor_limit},
                                         Mapping{ENFILE, ErrorCode::descriptor_limit},
                                         Mapping{ENOMEM, ErrorCode::memory_limit},
                                         Mapping{ENOBUFS, ErrorCode::memory_limit},
                                         Mapping{EAFNOSUPPORT, ErrorCode::unsupported},
                                         Mapping{ENOSYS, ErrorCode::unsupported},
                                         Mapping{ECONNREFUSED, ErrorCode::io}));

TEST(Error, IsAValue) {
    Error copy = Error(ErrorCode::io, "read");
    {
        const Error original = denied();
        copy = original;
        EXPECT_EQ(original.address(), "tcp://127.0.0.1:80");
    }
    EXPECT_EQ(copy.to_string(), denied().to_string());
    const Error& same = copy;
    copy = same;
    EXPECT_EQ(copy.to_string(), denied().to_string());
    EXPECT_EQ(Error(copy).at("elsewhere").address(), "elsewhere");
    EXPECT_EQ(copy.address(), "tcp://127.0.0.1:80");
}

TEST(Result, CarriesAValueOrAnError) {
    const Result<int> value = 42;
    ASSERT_TRUE(value);
    EXPECT_EQ(*value, 42);

    const Result<int> error = fail(denied());
    ASSERT_FALSE(error);
    EXPECT_EQ(error.error().code(), ErrorCode::permission_denied);
}

TEST(Result, CarriesAnErrorAcrossTypes) {
    const Result<void> inner = fail(denied());
    const Result<std::string> outer = fail(inner.error());
    EXPECT_EQ(outer.error().detail(), "ports below 1024 need CAP_NET_BIND_SERVICE");
}

}  // namespace
}  // namespace berth
