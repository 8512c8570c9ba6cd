"""Clients of GET /orderTraces/stream: one that parses events, and many that are only counted."""

import json
import select
import socket
import time

from rest import DEADLINE_S, SERVER_GONE


def stream_request(query="", last_event_id=None):
    lines = [f"GET /orderTraces/stream{query} HTTP/1.1", "Host: localhost"]
    if last_event_id is not None:
        lines.append(f"Last-Event-ID: {last_event_id}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class EventSource:
    """One open stream. Events are dicts with `id`, `event` and `data`."""

    def __init__(self, port, query="", last_event_id=None, source_address="127.0.0.1"):
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=DEADLINE_S, source_address=(source_address, 0)
        )
        self.socket.sendall(stream_request(query, last_event_id))
        self.unread, self.comments, self.last_id = b"", 0, last_event_id
        head = self._block(time.monotonic() + DEADLINE_S, b"\r\n\r\n").decode()
        self.status, self.head = int(head.split()[1]), head

    def _block(self, end, separator=b"\n\n"):
        while separator not in self.unread:
            if not select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("the stream has ended")
            self.unread += more
        block, self.unread = self.unread.split(separator, 1)
        return block

    def next(self, deadline_s=DEADLINE_S):
        """The next event. Comments and `retry` are counted and passed over."""
        end = time.monotonic() + deadline_s
        while True:
            fields = {}
            for line in self._block(end).decode().split("\n"):
                name, _, value = line.partition(": ")
                fields[name] = value
                self.comments += name == ""
            if "data" in fields:
                self.last_id = fields["id"]
                offset = int(self.last_id.partition("-")[0])
                data = json.loads(fields["data"])
                return {**fields, "event_id": self.last_id, "id": offset, "data": data}

    def until(self, predicate, deadline_s=DEADLINE_S):
        """The events up to the first for which the predicate holds."""
        end, got = time.monotonic() + deadline_s, []
        while not got or not predicate(got[-1]):
            got.append(self.next(end - time.monotonic()))
        return got

    def here(self, for_s=0.0):
        """The events received so far or within the given time."""
        got = []
        try:
            while True:
                got.append(self.next(for_s))
        except (TimeoutError, *SERVER_GONE):
            return got

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
