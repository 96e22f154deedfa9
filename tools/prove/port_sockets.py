# SPDX-License-Identifier: MIT
"""port_sockets: sockets in every state that keeps a port from others, for `causes`."""

import array
import contextlib
import ctypes
import errno
import mmap
import os
import signal
import socket
import struct

PATIENCE = 0.2  # seconds


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def address(host, port):
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


def specific(host):
    """A connection has no wildcard."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def bound(port=0, host="127.0.0.1", reuse=False, share=False, v6_only=False):
    made = socket.socket(family_of(host))
    try:
        if reuse:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if ":" in host:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6_only))
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


def listening(port=0, host="127.0.0.1", **flags):
    made = bound(port, host, **flags)
    try:
        made.listen()
    except OSError:
        made.close()
        raise
    return made


def bind_errno(host, port):
    """Of a socket with the options of a berth server; 0: it is free."""
    try:
        bound(port, host, reuse=True).close()
        return 0
    except OSError as error:
        return error.errno


def free_port():
    while True:
        with bound(host="::") as made:
            port = made.getsockname()[1]
        if bind_errno("::", port) == 0:
            return port


def connected(server, client=None):
    client = client or socket.socket(server.family)
    client.connect(server.getsockname()[:2])
    return client


def conversation(port=0, host="127.0.0.1", **flags):
    """A listener, a client, and the server's end. Where others listen too, they may get it."""
    with contextlib.ExitStack() as made:
        server = made.enter_context(listening(port, host, **flags))
        client = made.enter_context(socket.socket(family_of(host)))
        client.settimeout(PATIENCE)
        client.connect((specific(host), server.getsockname()[1]))
        server.settimeout(PATIENCE)
        accepted = server.accept()[0]
        made.pop_all()
    return server, client, accepted


def connecting(port=0, host="127.0.0.1", **flags):
    """SYN_SENT: the server's queue is full. Gives the port, and what to keep."""
    server = bound(host=host)
    server.listen(0)
    filling = connected(server)
    client = bound(port, host, **flags)
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        client.connect(server.getsockname()[:2])
    return client.getsockname()[1], [server, filling, client]


def self_connected(port=0, host="127.0.0.1", **flags):
    made = bound(port, host, **flags)
    try:
        made.connect(made.getsockname()[:2])
    except OSError:
        made.close()
        raise
    return made


def in_flight(listener):
    """Sends the socket to a socket that nobody reads: open, and in no process."""
    ends = socket.socketpair()
    ends[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                              array.array("i", [listener.fileno()]))])
    listener.close()
    return ends


def close_all(kept):
    """Resets connections, so that nothing is left of them."""
    for one in kept:
        if isinstance(one, tuple):
            close_all(one)
            continue
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()


@contextlib.contextmanager
def as_user(user):
    if user is None:
        yield
        return
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


# ── The kinds of a mix: (host, port, flags) → what to keep ───────────────────────────────────

def make_accepted(host, port, flags):
    server, client, accepted = conversation(port, host, **flags)
    server.close()
    return [client, accepted]


def make_orphan(host, port, flags):
    server, client, accepted = conversation(port, host, **flags)
    server.close()
    accepted.close()
    client.close()
    return []


def make_client(host, port, flags):
    with contextlib.ExitStack() as made:
        client = made.enter_context(bound(port, specific(host), **flags))
        server = made.enter_context(listening(host=specific(host)))
        connected(server, client)
        made.pop_all()
    return [client, server]


KINDS = {
    "listener": lambda host, port, flags: [listening(port, host, **flags)],
    "bound": lambda host, port, flags: [bound(port, host, **flags)],
    "self_connected": lambda host, port, flags: [self_connected(port, specific(host), **flags)],
    "connecting": lambda host, port, flags: connecting(port, specific(host), **flags)[1],
    "client": make_client,
    "accepted": make_accepted,
    "orphan": make_orphan,
    "in_flight": lambda host, port, flags: [in_flight(listening(port, host, **flags))],
}


# ── io_uring ─────────────────────────────────────────────────────────────────────────────────

IO_URING_SETUP, IO_URING_ENTER = 425, 426
ACCEPT = 13
PR_SET_PDEATHSIG = 1
OFFSET_SQES = 0x10000000


def hold_by_ring(listener):
    """An accept in an io_uring, pending: it holds the socket as long as the ring is there."""
    libc = ctypes.CDLL(None, use_errno=True)
    params = ctypes.create_string_buffer(120)
    ring = libc.syscall(IO_URING_SETUP, 4, params)
    if ring < 0:
        raise OSError(ctypes.get_errno(), "io_uring_setup")
    tail, array_offset = (struct.unpack_from("I", params, 40 + at)[0] for at in (4, 24))
    queue = mmap.mmap(ring, array_offset + 64)
    entries = mmap.mmap(ring, 4 * 64, offset=OFFSET_SQES)
    struct.pack_into("BBHi", entries, 0, ACCEPT, 0, 0, listener.fileno())
    struct.pack_into("I", queue, array_offset, 0)
    struct.pack_into("I", queue, tail, 1)
    if libc.syscall(IO_URING_ENTER, ring, 1, 0, 0, None, 0) != 1:
        raise OSError(ctypes.get_errno() or errno.EIO, "io_uring_enter")
    return queue, entries


def serve_by_ring(writer):
    """The child: tells its port, or "none", and waits to be killed; also by its parent's end."""
    told = b"none"
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        listener = listening()
        kept = hold_by_ring(listener)
        told = str(listener.getsockname()[1]).encode()
        os.write(writer, told)
        while kept:
            signal.pause()
    finally:
        os.write(writer, told)
        os._exit(1)


def start_ring_server():
    """A child that waits for a client by io_uring: its port and pid; None: not allowed."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        serve_by_ring(writer)
    os.close(writer)
    told = os.read(reader, 16)
    os.close(reader)
    if told in (b"none", b""):
        os.waitpid(pid, 0)
        return None
    return int(told), pid
