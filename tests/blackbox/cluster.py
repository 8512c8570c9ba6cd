"""Six nodes, one per service, over loopback or in network namespaces of their own."""

import contextlib
import ctypes
import http.client
import itertools
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from rest import COFFEE, DEADLINE_S, Client, Shop, wait_until
from support import Server, assert_sound

SERVICES = ["order", "payment", "delivery", "stamp", "ordertrace"]
NODES = ["gateway", *SERVICES]
PATHS = {
    "order": "/orders",
    "payment": "/payments",
    "delivery": "/deliveries",
    "stamp": "/stamps",
    "ordertrace": "/orderTraces",
}
WAYS = {"killed": ("kill", "again"), "frozen": ("freeze", "thaw"), "cut off": ("cut", "mend")}
"""How a node is lost and comes back: methods of a cluster. Only one in a network can be cut off."""


_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.cycle(range(10_000 + _worker * 1_000, 11_000 + _worker * 1_000))


def free_ports(count):
    """Ports below those that the system gives to connections, which would take a port between two
    runs of a node; each worker of the tests has ports of its own."""
    ports = []
    while len(ports) < count:
        with contextlib.suppress(OSError):
            port = next(_ports)
            socket.create_server(("127.0.0.1", port)).close()
            ports.append(port)
    return ports


class Cluster:
    """Nodes by name: a service's name, with "-2" and so on appended for further gateways. The
    context manager starts all nodes and stops them by SIGTERM; then the audit must be sound."""

    ways = ("killed", "frozen")

    def __init__(self, folder, nodes=NODES, arguments=(), per_node=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.hosts = self.addresses(nodes)
        self.nodes = {n: self.node(n, [*arguments, *(per_node or {}).get(n, ())]) for n in nodes}

    def addresses(self, nodes):
        return {n: ("127.0.0.1", port) for n, port in zip(nodes, free_ports(len(nodes)))}

    def options(self, name):
        """The options of one node; all nodes are its peers, at their present addresses."""
        places = {n: f"{host}:{port}" for n, (host, port) in self.hosts.items()}
        peers = [part for n, place in places.items() for part in ("--peer", f"{n}={place}")]
        service = name.partition("-")[0]
        return ["--services", service, "--name", name, "--node", places[name], *peers]

    def node(self, name, arguments=(), **options):
        return Server(self.folder / name, *self.options(name), *arguments, **options)

    def __getitem__(self, name):
        return self.nodes[name]

    def start(self, *names):
        chosen = names or self.nodes
        for n in chosen:
            self.nodes[n].start(wait=False)
        for n in chosen:
            self.nodes[n].wait_ready()
        return self

    def wait_up(self, *names, seen_by="gateway"):
        """Waits until the gateway `seen_by` reports the named services UP, or by default all
        running ones."""
        wanted = names or [n for n in SERVICES if n in self.nodes and self.nodes[n].running()]

        def all_up():
            shown = self.health(seen_by)["components"]
            return all(shown[n]["status"] == "UP" for n in wanted)

        wait_until(all_up, f"{wanted} are up", 3 * DEADLINE_S)
        return self

    def wait_whole(self, seen_by="gateway"):
        """Waits until the gateway reaches all services and accepts an order: the order service's
        breaker may stay open for 5 s."""
        self.wait_up(seen_by=seen_by)
        with self.client(seen_by) as client:
            wait_until(
                lambda: client.post("/orders", COFFEE).expect(201, 503).status == 201,
                "orders go",
                2 * DEADLINE_S,
            )
            for path in PATHS.values():
                client.get(path).expect(200)

    def health(self, seen_by="gateway"):
        with self.client(seen_by) as client:
            return client.get("/actuator/health").expect(200).json()

    def wait_away(self, *names):
        """Waits until the gateway reports the services DOWN; returns the seconds."""
        began = time.monotonic()

        def gone():
            shown = self.health()["components"]
            return all(shown[n]["status"] == "DOWN" for n in names)

        wait_until(gone, f"{names} are noticed to be away", 3 * DEADLINE_S)
        return time.monotonic() - began

    def client(self, node="gateway", **options):
        return self.nodes[node].client(**options)

    def operator(self, node="gateway"):
        """A client of the node with access to /admin."""
        return self.client(node, admin_token=self.nodes[node].admin_token())

    def client_without_gateway(self):
        return EveryNode(self)

    def shop(self):
        return Shop(self.client())

    @property
    def port(self):
        """The gateway's port."""
        return self.nodes["gateway"].port

    def freeze(self, name):
        self.nodes[name].send_signal(signal.SIGSTOP)

    def thaw(self, name):
        self.nodes[name].send_signal(signal.SIGCONT)

    def kill(self, name):
        self.nodes[name].kill()

    def again(self, name):
        """Starts a killed or stopped node again."""
        self.nodes[name].start()

    @contextlib.contextmanager
    def without(self, name, how):
        """Loses the node for the duration of the block, in one of WAYS."""
        lose, bring_back = (getattr(self, method) for method in WAYS[how])
        lose(name)
        try:
            yield
        finally:
            bring_back(name)

    def move(self, name):
        """Gives a stopped node another port from its next start on. The peers keep the old
        address."""
        host, _ = self.hosts[name]
        before = self.options(name)
        self.hosts[name] = (host, *free_ports(1))
        rest = self.nodes[name].arguments[len(before) :]
        self.nodes[name].arguments = (*self.options(name), *rest)

    def stop(self):
        for n in self.nodes.values():
            if n.running():
                n.send_signal(signal.SIGCONT)
                n.send_signal(signal.SIGTERM)
        for n in self.nodes.values():
            if n.process:
                n.wait_stopped()

    def end(self):
        """Kills all nodes, in any state."""
        for n in self.nodes.values():
            if n.running():
                n.send_signal(signal.SIGCONT)
                n.kill()

    def assert_sound(self):
        return assert_sound(self.folder)

    def __enter__(self):
        try:
            return self.start().wait_up()
        except BaseException:
            self.end()
            raise

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
            self.assert_sound()
        else:
            self.end()


class EveryNode(Client):
    """Sends each request to the node of the resource's service, without a gateway."""

    def __init__(self, cluster):
        self.clients = {path: cluster.client(service) for service, path in PATHS.items()}

    def request(self, method, path, body=None, headers=None):
        collection = "/" + path.partition("?")[0].split("/")[1]
        return self.clients[collection].request(method, path, body, headers)

    def close(self):
        for client in self.clients.values():
            client.close()


# ------------------------------------------------------------------ network namespaces: silent cuts


def run(*words):
    subprocess.run(words, check=True, capture_output=True, text=True)


def can_make_namespaces():
    name = f"skanu-{os.getpid()}-probe"
    try:
        run("ip", "netns", "add", name)
        run("ip", "netns", "del", name)
        return True
    except (OSError, subprocess.CalledProcessError):
        return False


class Network:
    """One namespace per node and one for their bridge. A cut pulls out a cable: the packets vanish,
    and no node is told."""

    def __init__(self, nodes):
        self.prefix = f"sk{os.getpid() % 10_000}"
        self.nodes = list(nodes)
        self.hub = f"{self.prefix}-hub"

    def space(self, node):
        return f"{self.prefix}-{node}"

    def address(self, node):
        return f"10.77.0.{self.nodes.index(node) + 1}"

    def __enter__(self):
        run("ip", "netns", "add", self.hub)
        run("ip", "-n", self.hub, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", self.hub, "link", "set", "br0", "up")
        for i, node in enumerate(self.nodes):
            space = self.space(node)
            run("ip", "netns", "add", space)
            run("ip", "link", "add", "eth0", "netns", space, "type", "veth", "peer", "name",
                f"port{i}", "netns", self.hub)  # fmt: skip
            run("ip", "-n", self.hub, "link", "set", f"port{i}", "master", "br0", "up")
            run("ip", "-n", space, "addr", "add", f"{self.address(node)}/24", "dev", "eth0")
            run("ip", "-n", space, "link", "set", "eth0", "up")
            run("ip", "-n", space, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for space in [*map(self.space, self.nodes), self.hub]:
            subprocess.run(["ip", "netns", "del", space], capture_output=True)

    def cut(self, node):
        run("ip", "-n", self.hub, "link", "set", f"port{self.nodes.index(node)}", "down")

    def mend(self, node):
        run("ip", "-n", self.hub, "link", "set", f"port{self.nodes.index(node)}", "up")


@contextlib.contextmanager
def inside(space):
    """Moves this thread, and the threads started inside, into a network namespace for the block."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(descriptor):
        if libc.setns(descriptor, 0x40000000) != 0:  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), "setns")

    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{space}") as there:
        enter(there.fileno())
        try:
            yield
        finally:
            enter(home.fileno())


class ConnectionInside(http.client.HTTPConnection):
    """Connects from within a network namespace."""

    def __init__(self, space, *arguments, **options):
        super().__init__(*arguments, **options)
        self.space = space

    def connect(self):
        with inside(self.space):
            super().connect()


class NetworkCluster(Cluster):
    """Each node in a namespace of its own, shared by the node's clients."""

    ways = tuple(WAYS)

    def __init__(self, folder, network, **options):
        self.network = network
        Path(folder).mkdir(parents=True, exist_ok=True)
        secret = Path(folder) / "secret"
        secret.write_text("of this cluster alone\n")
        secret.chmod(0o600)
        without_tls = ("--node-without-tls", "--secret-file", secret)
        super().__init__(folder, arguments=without_tls, **options)

    def addresses(self, nodes):
        return {n: (self.network.address(n), 9080) for n in nodes}

    def node(self, name, arguments=(), **options):
        prefix = ["ip", "netns", "exec", self.network.space(name)]
        return super().node(name, arguments, prefix=prefix, **options)

    def client(self, node="gateway", **options):
        client = super().client(node, **options)
        plain = client.connection
        client.connection = ConnectionInside(
            self.network.space(node), plain.host, plain.port, timeout=plain.timeout
        )
        return client

    def cut(self, name):
        self.network.cut(name)

    def mend(self, name):
        self.network.mend(name)


@contextlib.contextmanager
def cluster_in_a_network(folder):
    """A cluster with nodes that can be cut off; over loopback where namespaces cannot be made."""
    if not can_make_namespaces():
        with Cluster(folder) as cluster:
            yield cluster
        return
    with Network(NODES) as network, NetworkCluster(folder, network) as cluster:
        yield cluster
