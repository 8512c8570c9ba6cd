"""A probe for keep-alive: connections that stay idle for a minute beside the other tests."""

import socket
import threading
import time

from rest import SERVER_GONE, Client, closed_by_peer


class IdleConnections(threading.Thread):
    """Two connections, idle from now on: one is used again after 57 s, one is watched."""

    USED_AFTER_S, WATCHED_FOR_S = 57, 80

    def __init__(self, port):
        super().__init__()
        self.used, self.watched = Client(port), Client(port)
        for one in (self.used, self.watched):
            one.get("/actuator/health/liveness").expect(200)
        self.since = time.monotonic()
        self.closed_early = self.late_answer = self.same_connection = self.closed_late = None
        self.start()

    def run(self):
        watched, port = self.watched.connection.sock, self.used.local_port()
        self.closed_early = closed_by_peer(watched, self.USED_AFTER_S)
        try:
            self.late_answer = self.used.get("/actuator/health/liveness")
            self.same_connection = self.used.local_port() == port
        except SERVER_GONE as error:
            self.late_answer = error
        left = self.since + self.WATCHED_FOR_S - time.monotonic()
        self.closed_late = self.closed_early or closed_by_peer(watched, left)

    def close(self):
        """Ends the wait and the thread, for a test without further interest."""
        try:
            self.watched.connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the server has closed it already
        self.join()
        self.used.close()
        self.watched.close()
