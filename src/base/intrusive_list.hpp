// SPDX-License-Identifier: MIT
//
// List<T>: a doubly linked list of objects that carry their own links.
//
// T derives from ListNode and is in one list at a time. Any object leaves its list in constant
// time, without knowing the list. An object in no list is a ring of one: leaving is always the
// same four stores, and harmless when repeated.
//
// Lifetime:  owns nothing. An object that dies leaves its list; a list that dies lets all go.
// Threads:   one.

#pragma once

namespace berth::base {

class ListNode {
public:
    ListNode() = default;
    ListNode(const ListNode&) = delete;
    ListNode& operator=(const ListNode&) = delete;
    ~ListNode() { unlink(); }

    bool is_linked() const { return next_ != this; }

    void unlink() {
        prev_->next_ = next_;
        next_->prev_ = prev_;
        next_ = prev_ = this;
    }

private:
    template <class T>
    friend class List;

    ListNode* next_ = this;
    ListNode* prev_ = this;
};

template <class T>
class List {
public:
    List() = default;
    List(const List&) = delete;
    List& operator=(const List&) = delete;
    ~List() {
        while (pop_front() != nullptr) {
        }
    }

    bool empty() const { return !ring_.is_linked(); }
    T* front() { return empty() ? nullptr : static_cast<T*>(ring_.next_); }

    // Also moves a node from the list that it is in.
    void push_back(T& object) {
        ListNode& node = object;
        node.unlink();
        node.prev_ = ring_.prev_;
        node.next_ = &ring_;
        ring_.prev_->next_ = &node;
        ring_.prev_ = &node;
    }

    T* pop_front() {
        T* first = front();
        if (first != nullptr) static_cast<ListNode*>(first)->unlink();
        return first;
    }

    // Moves everything from `other` behind what is here, in constant time.
    void splice_back(List& other) {
        if (other.empty()) return;
        ListNode* first = other.ring_.next_;
        ListNode* last = other.ring_.prev_;
        other.ring_.unlink();
        first->prev_ = ring_.prev_;
        last->next_ = &ring_;
        ring_.prev_->next_ = first;
        ring_.prev_ = last;
    }

private:
    ListNode ring_;  // between the last and the first
};

}  // namespace berth::base
