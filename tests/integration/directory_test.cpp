// SPDX-License-Identifier: MIT
//
// The directory of a Unix path: what others do to it costs a start or a path, and nothing else.

#include "integration/support_engine.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <filesystem>

namespace berth::test {
namespace {

// Held as berth itself holds it, but for longer than it waits.
class Lock {
public:
    explicit Lock(const std::string& directory)
        : descriptor_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        EXPECT_EQ(::flock(descriptor_, LOCK_EX | LOCK_NB), 0);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() { ::close(descriptor_); }

private:
    int descriptor_;
};

// This thread as somebody who owns nothing, as far as files go. Only root can do that.
class Nobody {
public:
    Nobody() { ::setfsuid(65534); }
    Nobody(const Nobody&) = delete;
    Nobody& operator=(const Nobody&) = delete;
    ~Nobody() { ::setfsuid(0); }
};

class Directory : public AnEngine {
protected:
    std::string at() const { return unix_address("app.sock"); }
    bool is_there() const { return std::filesystem::exists(dir().file("app.sock")); }
};

TEST_P(Directory, ThatStaysLockedRefusesTheStart) {
    const Lock lock(dir().path());
    const auto started = make_engine(script)->start(at());
    ASSERT_FALSE(started);
    EXPECT_STREQ(started.error().operation(), "lock directory");
    EXPECT_EQ(started.error().address(), Endpoint::parse(at())->to_string());
    EXPECT_FALSE(is_there());
}

TEST_P(Directory, ThatStaysLockedKeepsThePathAndTheStopSaysSo) {
    start(at());
    const Lock lock(dir().path());
    EXPECT_EQ(stop().outcome, StopOutcome::port_held);
    EXPECT_TRUE(is_there());
}

TEST_P(Directory, OfAnotherUserIsRefusedWithARemedy) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
    std::filesystem::permissions(dir().path(), std::filesystem::perms(0755));
    const auto engine = make_engine(script);
    const auto started = [&] {
        const Nobody nobody;
        return engine->start(at());
    }();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), ErrorCode::permission_denied);
    EXPECT_NE(started.error().remedy().find("directory"), std::string::npos);
}

BERTH_FOR_EACH_DRIVER(Directory);

}  // namespace
}  // namespace berth::test
