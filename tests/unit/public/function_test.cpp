// SPDX-License-Identifier: MIT
//
// UniqueFunction: calls, moves and destroys what it was made from, exactly once each.

#include <berth/function.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace berth {
namespace {

// Counts the callables alive; `Extra` bytes make it too big to live in place.
template <std::size_t Extra, bool NothrowMove = true>
struct Counted {
    explicit Counted(int& alive_count) : alive(&alive_count) { ++*alive; }
    Counted(Counted&& other) noexcept(NothrowMove) : alive(other.alive) { ++*alive; }
    Counted& operator=(Counted&&) = delete;
    ~Counted() { --*alive; }
    int operator()(int value) const { return value + 1; }

    int* alive;
    std::array<std::byte, Extra> extra{};
};

using InPlace = Counted<40>;
using TooBig = Counted<41>;
using MayThrow = Counted<8, false>;

template <class Callable>
class UniqueFunctionOf : public testing::Test {};

using Callables = testing::Types<InPlace, TooBig, MayThrow>;
TYPED_TEST_SUITE(UniqueFunctionOf, Callables);

TYPED_TEST(UniqueFunctionOf, CallsWhatItWasMadeFrom) {
    int alive = 0;
    UniqueFunction<int(int)> function = TypeParam(alive);
    EXPECT_TRUE(function);
    EXPECT_EQ(function(41), 42);
    EXPECT_EQ(alive, 1);
}

TYPED_TEST(UniqueFunctionOf, DestroysItWhenItGoes) {
    int alive = 0;
    {
        const UniqueFunction<int(int)> function = TypeParam(alive);
    }
    EXPECT_EQ(alive, 0);
}

TYPED_TEST(UniqueFunctionOf, LeavesAMovedOneEmpty) {
    int alive = 0;
    UniqueFunction<int(int)> from = TypeParam(alive);
    UniqueFunction<int(int)> to = std::move(from);
    EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): that it is empty is the promise
    EXPECT_EQ(to(1), 2);
    EXPECT_EQ(alive, 1);
}

TYPED_TEST(UniqueFunctionOf, DestroysWhatAnAssignmentReplaces) {
    int replaced = 0;
    int assigned = 0;
    UniqueFunction<int(int)> function = TypeParam(replaced);
    function = TypeParam(assigned);
    EXPECT_EQ(replaced, 0);
    EXPECT_EQ(assigned, 1);
}

TYPED_TEST(UniqueFunctionOf, SurvivesAssignmentToItself) {
    int alive = 0;
    UniqueFunction<int(int)> function = TypeParam(alive);
    UniqueFunction<int(int)>& same = function;
    function = std::move(same);
    EXPECT_EQ(function(1), 2);
    EXPECT_EQ(alive, 1);
}

TYPED_TEST(UniqueFunctionOf, IsEmptyAfterReset) {
    int alive = 0;
    UniqueFunction<int(int)> function = TypeParam(alive);
    function.reset();
    function.reset();
    EXPECT_FALSE(function);
    EXPECT_EQ(alive, 0);
}

TEST(UniqueFunction, IsEmptyWhenMadeFromNothing) {
    EXPECT_FALSE(UniqueFunction<void()>());
    EXPECT_FALSE(UniqueFunction<void()>(nullptr));
    UniqueFunction<void()> from;
    const UniqueFunction<void()> to = std::move(from);
    EXPECT_FALSE(to);
}

TEST(UniqueFunction, KeepsACallableThatCannotBeCopied) {
    UniqueFunction<int()> function = [owned = std::make_unique<int>(7)] { return *owned; };
    EXPECT_EQ(function(), 7);
}

TEST(UniqueFunction, KeepsStateBetweenCalls) {
    UniqueFunction<int()> count = [calls = 0]() mutable { return ++calls; };
    count();
    EXPECT_EQ(count(), 2);
    UniqueFunction<int()> moved = std::move(count);
    EXPECT_EQ(moved(), 3);
}

TEST(UniqueFunction, PassesArgumentsAndResultsOnUnchanged) {
    UniqueFunction<std::unique_ptr<int>(std::unique_ptr<int>, int&)> function =
        [](std::unique_ptr<int> owned, int& out) {
            out = *owned;
            return owned;
        };
    int seen = 0;
    auto given = std::make_unique<int>(3);
    const int* address = given.get();
    EXPECT_EQ(function(std::move(given), seen).get(), address);
    EXPECT_EQ(seen, 3);
}

TEST(UniqueFunction, TakesAPlainFunction) {
    UniqueFunction<std::string(int)> function = [](int value) { return std::to_string(value); };
    EXPECT_EQ(function(12), "12");
}

TEST(UniqueFunction, LetsWhatItsCallableThrowsPass) {
    UniqueFunction<void()> function = [] { throw std::runtime_error("thrown"); };
    EXPECT_THROW(function(), std::runtime_error);
    EXPECT_TRUE(function);
}

struct ThrowsWhenMoved {
    ThrowsWhenMoved() = default;
    // NOLINTNEXTLINE(performance-noexcept-move-constructor): it throws
    ThrowsWhenMoved(ThrowsWhenMoved&&) { throw std::runtime_error("moved"); }
    ThrowsWhenMoved& operator=(ThrowsWhenMoved&&) = delete;
    ~ThrowsWhenMoved() = default;
    void operator()() const {}
};

TEST(UniqueFunction, LeaksNothingWhenItCannotTakeTheCallableOver) {
    EXPECT_THROW(UniqueFunction<void()>(ThrowsWhenMoved{}), std::runtime_error);
}

TEST(UniqueFunction, MovesWithoutThrowingWhateverItHolds) {
    static_assert(std::is_nothrow_move_constructible_v<UniqueFunction<void()>>);
    static_assert(std::is_nothrow_move_assignable_v<UniqueFunction<void()>>);
    static_assert(!std::is_copy_constructible_v<UniqueFunction<void()>>);
    static_assert(!std::is_constructible_v<UniqueFunction<void()>, int>);
    static_assert(sizeof(UniqueFunction<void()>) == 56);
}

}  // namespace
}  // namespace berth
