"""A rolling restart of gateways under load: a TCP round robin, clients that count every answer, and
the restarts."""

import asyncio
import collections
import http.client
import itertools
import json
import threading

from rest import COFFEE, DEADLINE_S

ORDER = json.dumps(COFFEE)


class RoundRobin:
    """Forwards each connection to the next gateway that was ready at the last look, as a service of
    Kubernetes does: it looks into no byte, and where nobody listens the connection is lost."""

    EVERY_S = 0.05

    def __init__(self, ports):
        self.ports, self.ready, self.turn, self.port = ports, list(ports), itertools.count(), None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.look(), self.loop)
        opening = asyncio.start_server(self.forward, "127.0.0.1", 0, backlog=1024)
        self.server = asyncio.run_coroutine_threadsafe(opening, self.loop).result(DEADLINE_S)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(DEADLINE_S)
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.close()

    async def look(self):
        while True:
            found = await asyncio.gather(*map(self.is_ready, self.ports))
            self.ready = [port for port, up in zip(self.ports, found) if up]
            await asyncio.sleep(self.EVERY_S)

    @staticmethod
    async def is_ready(port):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /actuator/health/readiness HTTP/1.0\r\n\r\n")
            status = await reader.readline()
            writer.close()
            return b" 200 " in status
        except OSError:
            return False

    async def forward(self, reader, writer):
        try:
            port = self.ready[next(self.turn) % len(self.ready)]
            there = await asyncio.open_connection("127.0.0.1", port)
        except (OSError, ZeroDivisionError):
            return writer.close()
        await asyncio.gather(self.pass_on(reader, there[1]), self.pass_on(there[0], writer))

    @staticmethod
    async def pass_on(reader, writer):
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()


class Load:
    """Clients of a port that place and read orders until stop(), every second one on a connection
    per request. Nothing is repeated: `lost` counts what else came than the right answer."""

    def __init__(self, port, clients=8):
        self.port = port
        self.sent, self.placed, self.lost = 0, 0, collections.Counter()
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.threads = [
            threading.Thread(target=self.run, args=(n % 2 == 0,), daemon=True)
            for n in range(clients)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, keeps_connection):
        connection = self.connect()
        path = None
        while not self.stopping.is_set():
            with self.lock:
                self.sent += 1
            try:
                path = self.ask(connection, path)
            except (OSError, http.client.HTTPException) as problem:
                self.lose(type(problem).__name__)
                connection.close()
            if not keeps_connection:
                connection.close()
        connection.close()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=4 * DEADLINE_S)

    def ask(self, connection, path):
        """Places an order or, with a path, reads it; returns the next path."""
        if path:
            connection.request("GET", path)
        else:
            connection.request("POST", "/orders", ORDER, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != (200 if path else 201):
            self.lose(answer.status)
            return None
        if path:
            return None
        with self.lock:
            self.placed += 1
        return answer.headers["Location"]

    def lose(self, how):
        with self.lock:
            self.lost[how] += 1

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def restart(gateways, settle):
    """Restarts one gateway after the other. `settle(gateway)` returns once the balancer has taken
    the gateway in again."""
    for gateway in gateways:
        gateway.stop()
        gateway.start()
        settle(gateway)
