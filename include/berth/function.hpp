// SPDX-License-Identifier: MIT
//
// UniqueFunction<Signature>: a callable that is moved, not copied.
//
// std::move_only_function is missing from libc++ and may allocate for small callables. This one
// keeps up to 48 bytes in place, so that posting a task to a loop allocates nothing.
//
// Lifetime:  owns what it was made from.
// Threads:   a value; move it to the thread that calls it.
// Limits:    the callable must be nothrow-movable to live in place; otherwise it is boxed.

#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>

namespace berth {

template <class Signature>
class UniqueFunction;

template <class R, class... Args>
class UniqueFunction<R(Args...)> {
public:
    static constexpr std::size_t kInlineBytes = 48;

    UniqueFunction() = default;
    UniqueFunction(std::nullptr_t) {}

    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
                 std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
    UniqueFunction(F&& callable) {
        using Callable = std::decay_t<F>;
        if constexpr (fits<Callable>()) {
            ::new (static_cast<void*>(place_)) Callable(std::forward<F>(callable));
            operations_ = &kInPlace<Callable>;
        } else {
            ::new (static_cast<void*>(place_)) Callable*(new Callable(std::forward<F>(callable)));
            operations_ = &kBoxed<Callable>;
        }
    }

    UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
    UniqueFunction& operator=(UniqueFunction&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    UniqueFunction(const UniqueFunction&) = delete;
    UniqueFunction& operator=(const UniqueFunction&) = delete;
    ~UniqueFunction() { reset(); }

    explicit operator bool() const { return operations_ != nullptr; }

    // Undefined on an empty function, as for every callable wrapper.
    R operator()(Args... args) { return operations_->call(place_, std::forward<Args>(args)...); }

    void reset() {
        if (operations_ != nullptr) std::exchange(operations_, nullptr)->destroy(place_);
    }

private:
    struct Operations {
        R (*call)(std::byte*, Args&&...);
        void (*relocate)(std::byte* from, std::byte* to);
        void (*destroy)(std::byte*);
    };

    template <class Callable>
    static constexpr bool fits() {
        return sizeof(Callable) <= kInlineBytes && alignof(Callable) <= alignof(void*) &&
               std::is_nothrow_move_constructible_v<Callable>;
    }

    template <class Callable>
    static Callable& in_place(std::byte* place) {
        return *std::launder(reinterpret_cast<Callable*>(place));
    }

    template <class Callable>
    static constexpr Operations kInPlace{
        [](std::byte* place, Args&&... args) -> R {
            return std::invoke_r<R>(in_place<Callable>(place), std::forward<Args>(args)...);
        },
        [](std::byte* from, std::byte* to) {
            ::new (static_cast<void*>(to)) Callable(std::move(in_place<Callable>(from)));
            in_place<Callable>(from).~Callable();
        },
        [](std::byte* place) { in_place<Callable>(place).~Callable(); }};

    template <class Callable>
    static constexpr Operations kBoxed{
        [](std::byte* place, Args&&... args) -> R {
            return std::invoke_r<R>(*in_place<Callable*>(place), std::forward<Args>(args)...);
        },
        [](std::byte* from, std::byte* to) {
            ::new (static_cast<void*>(to)) Callable*(in_place<Callable*>(from));
        },
        [](std::byte* place) { delete in_place<Callable*>(place); }};

    void take(UniqueFunction& other) {
        operations_ = std::exchange(other.operations_, nullptr);
        if (operations_ != nullptr) operations_->relocate(other.place_, place_);
    }

    const Operations* operations_ = nullptr;
    alignas(void*) std::byte place_[kInlineBytes];
};

}  // namespace berth
