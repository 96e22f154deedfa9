// SPDX-License-Identifier: MIT
//
// InheritedSocket: which address a socket belongs to.

#include "engine/inherited_socket.hpp"

#include "driver/descriptor.hpp"

#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>
#include <vector>

namespace berth::engine {
namespace {

using driver::Descriptor;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Endpoint at(std::string_view text) { return Endpoint::parse(text).value(); }

std::vector<Endpoint> all(std::initializer_list<std::string_view> texts) {
    std::vector<Endpoint> endpoints;
    for (const std::string_view text : texts) endpoints.push_back(at(text));
    return endpoints;
}

TEST(InheritedSocket, IsFoundByItsRealAddress) {
    EXPECT_TRUE(is_bound_as(at("tcp://127.0.0.1:7"), at("tcp4://127.0.0.1:7")));
    EXPECT_TRUE(is_bound_as(at("tcp://[::]:7"), at("tcp://:7")));
    EXPECT_TRUE(is_bound_as(at("tcp6://[::]:7"), at("tcp6://:7")));
    EXPECT_TRUE(is_bound_as(at("tcp://0.0.0.0:7"), at("tcp4://:7")));
    EXPECT_TRUE(is_bound_as(at("unix:@a"), at("unix:@a")));
}

TEST(InheritedSocket, IsNotTakenForAnother) {
    EXPECT_FALSE(is_bound_as(at("tcp://127.0.0.1:7"), at("tcp://127.0.0.1:8")));
    EXPECT_FALSE(is_bound_as(at("tcp://127.0.0.1:7"), at("tcp://127.0.0.2:7")));
    EXPECT_FALSE(is_bound_as(at("tcp://127.0.0.1:7"), at("tcp://:7")));
    EXPECT_FALSE(is_bound_as(at("tcp6://[::]:7"), at("tcp://:7"))) << "serves IPv6 alone";
    EXPECT_FALSE(is_bound_as(at("tcp://[::]:7"), at("tcp4://:7")));
    EXPECT_FALSE(is_bound_as(at("tcp://0.0.0.0:7"), at("tcp6://:7")));
    EXPECT_FALSE(is_bound_as(at("unix:@a"), at("unix:@b")));
    EXPECT_FALSE(is_bound_as(at("unix:@a"), at("tcp://:7")));
}

TEST(InheritedSocket, IsAShardOfTheAddressThatItIsBoundTo) {
    const std::vector<InheritedSocket> inherited{
        {.endpoint = at("tcp://[::1]:7"), .descriptor = Descriptor{3}, .name = "a"},
        {.endpoint = at("unix:@b"), .descriptor = Descriptor{4}, .name = "b"},
        {.endpoint = at("tcp://[::1]:7"), .descriptor = Descriptor{5}, .name = "a"}};
    const auto asked = all({"tcp://:1", "tcp6://[::1]:7", "unix:@b"});
    const auto plan = plan_addresses(asked, inherited).value();
    ASSERT_EQ(plan.size(), 3u);
    EXPECT_THAT(plan[0].sockets, IsEmpty());
    EXPECT_THAT(plan[1].sockets, ElementsAre(Descriptor{3}, Descriptor{5}));
    EXPECT_THAT(plan[2].sockets, ElementsAre(Descriptor{4}));
}

TEST(InheritedSocket, IsServedWhereNothingIsAskedFor) {
    const std::vector<InheritedSocket> inherited{
        {.endpoint = at("unix:@b"), .descriptor = Descriptor{3}, .name = {}},
        {.endpoint = at("tcp://[::]:7"), .descriptor = Descriptor{4}, .name = {}},
        {.endpoint = at("unix:@b"), .descriptor = Descriptor{5}, .name = {}}};
    const auto plan = plan_addresses({}, inherited).value();
    ASSERT_EQ(plan.size(), 2u);
    EXPECT_EQ(plan[0].asked, at("unix:@b"));
    EXPECT_THAT(plan[0].sockets, ElementsAre(Descriptor{3}, Descriptor{5}));
    EXPECT_EQ(plan[1].asked, at("tcp://[::]:7"));
}

TEST(InheritedSocket, ThatNoAddressNamesIsAnErrorThatSaysSo) {
    const std::vector<InheritedSocket> inherited{
        {.endpoint = at("tcp://[::1]:7"), .descriptor = Descriptor{3}, .name = "web"}};
    const auto plan = plan_addresses(all({"tcp://:1"}), inherited);
    ASSERT_FALSE(plan);
    EXPECT_THAT(plan.error().to_string(), HasSubstr("tcp://[::1]:7"));
    EXPECT_THAT(plan.error().to_string(), HasSubstr("web"));
}

}  // namespace
}  // namespace berth::engine
