// SPDX-License-Identifier: MIT
//
// List: order, leaving from anywhere, and the ends of nodes and lists.

#include "base/intrusive_list.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace berth::base {
namespace {

struct Item : ListNode {
    explicit Item(int initial) : value(initial) {}
    int value;
};

std::vector<int> drain(List<Item>& list) {
    std::vector<int> values;
    while (const Item* item = list.pop_front()) values.push_back(item->value);
    return values;
}

struct ListOfThree : testing::Test {
    void SetUp() override {
        for (Item* item : {&a, &b, &c}) list.push_back(*item);
    }
    List<Item> list;
    Item a{1};
    Item b{2};
    Item c{3};
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
    List<Item> other;
    Item d{4};
    other.push_back(d);
    list.splice_back(other);
    EXPECT_TRUE(other.empty());
    EXPECT_EQ(drain(list), (std::vector{1, 2, 3, 4}));
}

TEST_F(ListOfThree, MovesIntoAnEmptyList) {
    List<Item> other;
    other.splice_back(list);
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(drain(other), (std::vector{1, 2, 3}));
}

TEST_F(ListOfThree, IsNotChangedByAnEmptyOne) {
    List<Item> other;
    list.splice_back(other);
    EXPECT_EQ(drain(list), (std::vector{1, 2, 3}));
}

TEST(List, LosesAnItemThatDies) {
    List<Item> list;
    {
        Item item{1};
        list.push_back(item);
        EXPECT_TRUE(item.is_linked());
    }
    EXPECT_TRUE(list.empty());
}

TEST(List, LetsItsItemsGoWhenItDies) {
    std::array<Item, 2> items{Item{1}, Item{2}};
    {
        List<Item> list;
        for (Item& item : items) list.push_back(item);
    }
    for (const Item& item : items) EXPECT_FALSE(item.is_linked());
}

}  // namespace
}  // namespace berth::base
