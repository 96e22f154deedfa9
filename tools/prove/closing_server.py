# SPDX-License-Identifier: MIT
"""closing_server: an echo server that stops as most do.

At SIGTERM it closes its listener at once, and then serves whom it has accepted. The baseline of
tools/prove/quiesce, with nothing of berth in it.
"""

import select
import signal
import socket


class ClosingServer:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.clients = {}  # by descriptor
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)
        self.is_stopped = False
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, *_):
        self.is_stopped = True
        self.listener.close()

    def serve(self):
        while not self.is_stopped or self.clients:
            ready = self.poll.poll(0.3)
            if self.is_stopped and not ready:
                return
            for number, _ in ready:
                if number in self.clients:
                    self.echo(number)
                elif not self.is_stopped:
                    self.accept_all()

    def accept_all(self):
        try:
            while True:
                client = self.listener.accept()[0]
                client.setblocking(False)
                self.clients[client.fileno()] = client
                self.poll.register(client, select.EPOLLIN)
        except OSError:  # nobody waits, or it was closed under us
            pass

    def echo(self, number):
        client = self.clients[number]
        try:
            words = client.recv(4096)
            if words:
                client.sendall(words)
                return
        except OSError:
            pass
        del self.clients[number]
        client.close()


if __name__ == "__main__":
    server = ClosingServer()
    print(f"listening tcp://127.0.0.1:{server.listener.getsockname()[1]}", flush=True)
    server.serve()
