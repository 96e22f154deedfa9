// SPDX-License-Identifier: MIT
//
// MeetingPoint: found while it waits, and never in anybody's way.

#include "engine/handover/meeting_point.hpp"

#include "driver/kernel_system.hpp"
#include "support/temp_dir.hpp"

#include <berth/result.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace berth::engine::handover {
namespace {

using Replace = MeetingPoint::Replace;

class MeetingPoints : public testing::Test {
protected:
    // Is anybody found there?
    bool is_found() {
        const auto found = MeetingPoint::look_for(system, path);
        if (!found || !driver::is_open(*found)) return false;
        system.close(*found);
        return true;
    }

    driver::System& system = driver::kernel_system();
    test::TempDir folder;
    std::string path = folder.file("handover");
};

TEST_F(MeetingPoints, AreFoundWhileTheyWait) {
    EXPECT_FALSE(is_found());
    MeetingPoint point(system);
    ASSERT_TRUE(point.wait_at(path, Replace::stale_only));
    EXPECT_TRUE(is_found());
    point.leave();
    EXPECT_FALSE(is_found());
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(MeetingPoints, AreForTheirOwnerAlone) {
    MeetingPoint point(system);
    ASSERT_TRUE(point.wait_at(path, Replace::stale_only));
    struct stat facts{};
    ASSERT_EQ(::stat(path.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(MeetingPoints, DoNotReplaceALiveOneUnlessTheySucceedIt) {
    MeetingPoint first(system);
    MeetingPoint second(system);
    ASSERT_TRUE(first.wait_at(path, Replace::stale_only));
    const auto refused = second.wait_at(path, Replace::stale_only);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::address_in_use);
    ASSERT_TRUE(second.wait_at(path, Replace::any_socket));
    EXPECT_FALSE(first.is_found());
    EXPECT_TRUE(second.is_found());
}

TEST_F(MeetingPoints, LeaveThePathToWhoeverTookItOver) {
    MeetingPoint first(system);
    MeetingPoint second(system);
    ASSERT_TRUE(first.wait_at(path, Replace::stale_only));
    ASSERT_TRUE(second.wait_at(path, Replace::any_socket));
    first.leave();
    EXPECT_TRUE(is_found());
}

TEST_F(MeetingPoints, ReplaceWhatADeadServerLeftBehind) {
    const Endpoint endpoint(Scheme::unix_packet, path);
    const auto dead = system.open_socket(endpoint);
    ASSERT_TRUE(system.bind(*dead, endpoint));
    system.close(*dead);
    EXPECT_FALSE(is_found());
    MeetingPoint point(system);
    ASSERT_TRUE(point.wait_at(path, Replace::stale_only));
    EXPECT_TRUE(is_found());
}

TEST_F(MeetingPoints, NeverReplaceAFile) {
    std::ofstream(path) << "precious";
    MeetingPoint point(system);
    const auto refused = point.wait_at(path, Replace::any_socket);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::path_conflict);
    EXPECT_TRUE(std::filesystem::is_regular_file(path));
}

TEST_F(MeetingPoints, SayWhyTheyCannotBe) {
    MeetingPoint point(system);
    const auto refused = point.wait_at(folder.file("missing/handover"), Replace::stale_only);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().errno_value(), ENOENT);
    EXPECT_FALSE(point.is_waiting());
}

}  // namespace
}  // namespace berth::engine::handover
