// SPDX-License-Identifier: MIT
//
// List: order, leaving from anywhere, and the ends of nodes and lists.

#include "base/intrusive_list.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace berth::base {
namespace {

struct Link : ListNode {
    explicit Link(int initial) : value(initial) {}
    int value;
};

std::vector<int> drain(List<Link>& list) {
    std::vector<int> values;
    while (const Link* item = list.pop_front()) values.push_back(item->value);
    return values;
}

struct ListOfThree : testing::Test {
    void SetUp() override {
        for (Link* item : {&a, &b, &c}) list.push_back(*item);
    }
    List<Link> list;
    Link a{1};
    Link b{2};
    Link c{3};
};

TEST_F(ListOfThree, GivesItemsOutInTheOrderOfPushing) {
    EXPECT_EQ(list.front(), &a);
    EXPECT_EQ(drain(list), (std::vector{1, 2, 3}));
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(list.front(), nullptr);
    EXPECT_EQ(list.pop_front(), nullptr);
}

TEST_F(ListOfThree, LosesAnItemFromAnywhere) {
    b.unlink();
    EXPECT_FALSE(b.is_linked());
    EXPECT_EQ(drain(list), (std::vector{1, 3}));
}

TEST_F(ListOfThree, IsNotHarmedByAnItemThatLeavesTwice) {
    b.unlink();
    b.unlink();
    EXPECT_EQ(drain(list), (std::vector{1, 3}));
}

TEST_F(ListOfThree, MovesAnItemThatIsPushedAgain) {
    list.push_back(a);
    EXPECT_EQ(drain(list), (std::vector{2, 3, 1}));
}

TEST_F(ListOfThree, TakesOverAnotherListBehindItsOwn) {
    List<Link> other;
    Link d{4};
    other.push_back(d);
    list.splice_back(other);
    EXPECT_TRUE(other.empty());
    EXPECT_EQ(drain(list), (std::vector{1, 2, 3, 4}));
}

TEST_F(ListOfThree, MovesIntoAnEmptyList) {
    List<Link> other;
    other.splice_back(list);
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(drain(other), (std::vector{1, 2, 3}));
}

TEST_F(ListOfThree, IsNotChangedByAnEmptyOne) {
    List<Link> other;
    list.splice_back(other);
    EXPECT_EQ(drain(list), (std::vector{1, 2, 3}));
}

TEST(List, LosesAnItemThatDies) {
    List<Link> list;
    {
        Link item{1};
        list.push_back(item);
        EXPECT_TRUE(item.is_linked());
    }
    EXPECT_TRUE(list.empty());
}

TEST(List, LetsItsItemsGoWhenItDies) {
    std::array<Link, 2> items{Link{1}, Link{2}};
    {
        List<Link> list;
        for (Link& item : items) list.push_back(item);
    }
    for (const Link& item : items) EXPECT_FALSE(item.is_linked());
}

}  // namespace
}  // namespace berth::base
