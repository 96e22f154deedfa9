// SPDX-License-Identifier: MIT
//
// Context: one object of the user's, of any type, and how it is destroyed.
//
// What Connection::context<T>() gives back. Made on its own, it is for a connection that does not
// exist yet (DialOptions::context).
//
// Lifetime:  owns its object; moved, never copied.
// Threads:   any; destroyed on the loop of its connection.

#pragma once

#include <berth/export.hpp>

#include <utility>

namespace berth {

namespace net {
class ConnectionCore;
}

class BERTH_EXPORT Context {
public:
    using Destroy = void (*)(void*);
    // Its address tells the types apart.
    template <class T>
    static constexpr Destroy kTag = [](void* object) { delete static_cast<T*>(object); };

    Context() = default;  // of nothing
    Context(Context&& other) noexcept
        : object_(std::exchange(other.object_, nullptr)), tag_(other.tag_) {}
    Context& operator=(Context&& other) noexcept {
        std::swap(object_, other.object_);
        std::swap(tag_, other.tag_);
        return *this;
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    ~Context() {
        if (object_ != nullptr) (*tag_)(object_);
    }

    template <class T, class... Args>
    static Context make(Args&&... args) {
        return Context(new T(std::forward<Args>(args)...), &kTag<T>);
    }

private:
    friend class net::ConnectionCore;
    Context(void* object, const Destroy* tag) : object_(object), tag_(tag) {}

    void* object_ = nullptr;
    const Destroy* tag_ = nullptr;
};

}  // namespace berth
