// SPDX-License-Identifier: MIT
//
// Transport: what stands between a connection's bytes and the wire. A connection without one is
// plain.
//
// A transport is bytes in, bytes out: it does no I/O and calls nobody. net/ moves wire bytes
// between it and the driver, plaintext between it and the handler, and asks for its status.
//
//     wire ── receive ──▶ transport ── next_plain ──▶ handler
//     wire ◀─ next_wire ─ transport ◀────── seal ──── output queue
//
//  1. receive takes every byte it is given. What the handler does not want yet (a pause) stays
//     inside until next_plain asks for it; its status counts from then, too: goodbye and failure
//     are seen after the last piece of plaintext before them.
//  2. Any call may leave wire bytes to be sent: next_wire is asked after each until it is empty.
//  3. While it is handshaking it has no plaintext and seals nothing. Who dials speaks first:
//     next_wire has the first bytes at once.
//  4. seal takes one record whole, kRecordMax bytes at most, and only while may_seal(). False
//     means that something must be received first: net/ then reads on although the connection
//     is paused, and keeps what is not wanted yet within Options::input_max.
//  5. say_goodbye is the last thing said; after it next_wire has no more than that.
//  6. The peer's goodbye is the end of its direction only. What comes after it is ignored, and
//     from then on may_seal() is true: nothing more can be waited for.
//  7. Failure is final. What is still to be said about it (an alert) is in next_wire.
//
// How OpenSSL fits: receive is BIO_write into a memory BIO, and SSL_do_handshake while
// handshaking; next_plain is SSL_read into a buffer of the loop, SSL_ERROR_ZERO_RETURN the
// goodbye; seal is SSL_write, which cannot block on a memory BIO, next_wire BIO_read from the
// other one. A write that answers SSL_ERROR_WANT_READ (renegotiation) keeps its record and makes
// may_seal() false until the answer has been received. say_goodbye is SSL_shutdown, called once.
//
// Lifetime:  made when a connection begins, destroyed when its slot is freed.
// Threads:   the loop's of its connection.
// Errors:    status() failed with an errno; no exception.
// See:       docs/internals/transport.md, docs/decisions/0009-transport-seam.md.

#pragma once

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace berth::transport {

inline constexpr std::size_t kRecordMax = 16U << 10U;  // plaintext of one record, as in TLS

enum class Status : std::uint8_t {
    handshaking,
    open,
    ended,   // the peer has said goodbye: it sends no more
    failed,  // failure() says why
};

class Transport {
public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    virtual ~Transport() = default;

    virtual Status status() const = 0;
    virtual int failure() const = 0;  // an errno: EPROTO for what the peer may not send

    // ── From the wire ────────────────────────────────────────────────────────────────────────
    virtual void receive(Bytes wire) = 0;
    // The next piece of plaintext, lent until the next receive or next_plain; empty: no more now.
    virtual Bytes next_plain() = 0;

    // ── To the wire ──────────────────────────────────────────────────────────────────────────
    virtual bool may_seal() const = 0;
    virtual void seal(Bytes plain) = 0;
    virtual void say_goodbye() = 0;
    // Wire bytes to be sent, in order, lent until any other call; empty: no more now.
    virtual Bytes next_wire() = 0;
};

// Makes the transports of an engine.
//
// Lifetime:  outlives the engine.
// Threads:   any, several at once.
// Errors:    a transport that cannot be made is one that has failed.
class TransportFactory {
public:
    virtual ~TransportFactory() = default;
    // For a connection accepted on the address of that index, or dialled. Null: it is plain.
    virtual std::unique_ptr<Transport> accept(std::size_t listener) = 0;
    virtual std::unique_ptr<Transport> dial(const Endpoint& to) = 0;
    // Bounds the handshake of whoever was accepted, or dialled without a deadline.
    virtual Duration handshake_timeout() const = 0;
};

}  // namespace berth::transport
