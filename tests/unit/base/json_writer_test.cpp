// SPDX-License-Identifier: MIT
//
// JsonWriter: commas, nesting, escapes and numbers.

#include "base/json_writer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace berth::base {
namespace {

TEST(JsonWriter, SeparatesMembersWithCommas) {
    JsonWriter json;
    json.begin_object().member("a", std::uint64_t{1}).member("b", true).member("c", "d");
    json.end_object();
    EXPECT_EQ(json.text(), R"({"a":1,"b":true,"c":"d"})");
}

TEST(JsonWriter, NestsObjectsAndArrays) {
    JsonWriter json;
    json.begin_object().begin_array("list");
    json.begin_object().member("x", std::uint64_t{1}).end_object();
    json.begin_object().end_object();
    json.end_array().begin_object("inner").member("y", false).end_object().end_object();
    EXPECT_EQ(json.text(), R"({"list":[{"x":1},{}],"inner":{"y":false}})");
}

TEST(JsonWriter, EmptyOnesAreEmpty) {
    JsonWriter json;
    json.begin_object().begin_array("none").end_array().begin_object("nothing").end_object();
    json.end_object();
    EXPECT_EQ(json.text(), R"({"none":[],"nothing":{}})");
}

TEST(JsonWriter, EscapesWhatMustBe) {
    JsonWriter json;
    json.begin_object().member("text", std::string_view("a\"b\\c\n\x01\x1f", 8)).end_object();
    EXPECT_EQ(json.text(), R"({"text":"a\"b\\c\u000a\u0001\u001f"})");
}

TEST(JsonWriter, LeavesUtf8AsItIs) {
    JsonWriter json;
    json.begin_object().member("ü", "→").end_object();
    EXPECT_EQ(json.text(), R"({"ü":"→"})");
}

TEST(JsonWriter, WritesNumbersWhole) {
    JsonWriter json;
    json.begin_object()
        .member("most", std::numeric_limits<std::uint64_t>::max())
        .member("half", 0.5)
        .member("negative", -1.0005)
        .member("ages", 9'223'372'036'854.775)  // Duration::max() in milliseconds
        .end_object();
    EXPECT_EQ(json.text(), R"({"most":18446744073709551615,"half":0.500,"negative":-1.000,)"
                           R"("ages":9223372036854.775})");
}

}  // namespace
}  // namespace berth::base
