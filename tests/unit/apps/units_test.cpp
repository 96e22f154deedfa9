// SPDX-License-Identifier: MIT
//
// Units: what people write is understood, or explained.

#include "units.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

namespace {

using berth::Duration;
using namespace berth::app;
using namespace std::chrono_literals;

TEST(Units, ReadsDurations) {
    struct Row {
        const char* text;
        Duration expected;
    };
    constexpr std::array kRows{Row{"0", 0ns},    Row{"0s", 0ns},      Row{"250ms", 250ms},
                               Row{"30s", 30s},  Row{"1.5s", 1500ms}, Row{"2m", 120s},
                               Row{"1h", 3600s}, Row{"7us", 7us},     Row{"9ns", 9ns}};
    for (const auto& [text, expected] : kRows) {
        const auto duration = parse_duration(text);
        ASSERT_TRUE(duration) << text;
        EXPECT_EQ(*duration, expected) << text;
    }
}

TEST(Units, ExplainsWhatIsNoDuration) {
    for (const char* text : {"", "30", "s", "-1s", "+1s", "1e3s", "inf", "nan", "1 s", "1s ",
                             "1.2.3s", "5 minutes", "99999999999h"}) {
        const auto duration = parse_duration(text);
        ASSERT_FALSE(duration) << text;
        EXPECT_NE(duration.error().find(std::string("'") + text + "'"), std::string::npos);
        EXPECT_NE(duration.error().find("30s"), std::string::npos) << "no example";
    }
}

TEST(Units, ReadsSizes) {
    struct Row {
        const char* text;
        std::size_t expected;
    };
    constexpr std::array kRows{Row{"0", 0},         Row{"1", 1},         Row{"17B", 17},
                               Row{"64KiB", 65536}, Row{"64K", 65536},   Row{"1MiB", 1048576},
                               Row{"2M", 2097152},  Row{"1.5KiB", 1536}, Row{"1GiB", 1073741824}};
    for (const auto& [text, expected] : kRows) {
        const auto size = parse_size(text);
        ASSERT_TRUE(size) << text;
        EXPECT_EQ(*size, expected) << text;
    }
}

TEST(Units, ExplainsWhatIsNoSize) {
    for (const char* text : {"", "KiB", "-1", "1.5", "0.3KiB", "1kb", "12 ", "999999999GiB"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

TEST(Units, ReadsCountsWithinTheirRange) {
    EXPECT_EQ(parse_count("1", {1, 9}), 1u);
    EXPECT_EQ(parse_count("9", {1, 9}), 9u);
    for (const char* text : {"0", "10", "", "x", "1x", "-1", "1.0", "99999999999999999999"}) {
        EXPECT_FALSE(parse_count(text, {1, 9})) << text;
    }
}

TEST(Units, WritesWhatItReadsBack) {
    for (const Duration duration : {Duration{0}, Duration{30s}, Duration{1500ms}, Duration{2h}}) {
        EXPECT_EQ(parse_duration(duration_text(duration)), duration);
    }
    for (const std::size_t size : {0u, 1u, 1536u, 65536u, 16u << 20u}) {
        EXPECT_EQ(parse_size(size_text(size)), size);
    }
    EXPECT_EQ(duration_text(30s), "30s");
    EXPECT_EQ(size_text(16u << 20u), "16MiB");
}

TEST(Units, SeparatesThousands) {
    EXPECT_EQ(with_separators(0), "0");
    EXPECT_EQ(with_separators(999), "999");
    EXPECT_EQ(with_separators(1000), "1,000");
    EXPECT_EQ(with_separators(1234567), "1,234,567");
}

TEST(Units, WritesDurationsForPeople) {
    EXPECT_EQ(readable(850ns), "850 ns");
    EXPECT_EQ(readable(12'340ns), "12.3 us");
    EXPECT_EQ(readable(4'560us), "4.56 ms");
    EXPECT_EQ(readable(789ms), "789 ms");
    EXPECT_EQ(readable(90s), "90.0 s");
}

}  // namespace
