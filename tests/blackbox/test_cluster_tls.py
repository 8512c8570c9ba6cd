"""cluster/certs, and clusters of cluster/up --tls: who gets in, and who does not."""

import stat
import subprocess
from contextlib import ExitStack

import pytest
from rest import COFFEE, DEADLINE_S, Shop, wait_until
from scripted_cluster import HTTP_DISTANCE, NODE_DISTANCE, SERVICES, Cluster, script
from support import Server, assert_sound

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(tmp_path):
    with Cluster(tmp_path / "cluster") as one:
        yield one


def test_certificates_are_signed_and_their_keys_private(tmp_path):
    def certs(*names):
        return script("certs", tmp_path / "certs", *names)

    assert certs("order", "gateway-1").returncode == 0
    files = {file.name: file.read_bytes() for file in (tmp_path / "certs").iterdir()}
    assert set(files) == {
        *("ca.pem", "ca-key.pem", "order.pem", "order-key.pem"),
        *("gateway-1.pem", "gateway-1-key.pem"),
    }
    for name in files:
        mode = stat.S_IMODE((tmp_path / "certs" / name).stat().st_mode)
        assert mode & 0o077 == 0, f"{name} has mode {mode:o}"
    checked = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "order.pem", "gateway-1.pem"],
        cwd=tmp_path / "certs",
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert certs("order", "stamp").returncode == 0  # adds only the missing certificate
    for name, content in files.items():
        assert (tmp_path / "certs" / name).read_bytes() == content
    assert (tmp_path / "certs" / "stamp-key.pem").exists()


@pytest.mark.parametrize("name", ["", "ca", "a/b", "..", "-x y"])
def test_names_that_no_node_can_have_are_refused(tmp_path, name):
    done = script("certs", tmp_path / "certs", "order", name)
    assert done.returncode == 1
    assert not (tmp_path / "certs").exists()


def gateway_beside(cluster, name, *options):
    """A second gateway with the cluster's secret, in a folder of its own."""
    peers = []
    for service in SERVICES[:-1]:
        port = cluster.http + HTTP_DISTANCE[service] + NODE_DISTANCE
        peers += ["--peer", f"{service}=127.0.0.1:{port}"]
    secret = ["--secret-file", cluster.folder / "secret"]
    data = cluster.folder.parent / name
    return Server(data, "--services", "gateway", "--name", name, *peers, *secret, *options)


def tls(certs, name):
    files = {"cert": f"{name}.pem", "key": f"{name}-key.pem", "ca": "ca.pem"}
    return [part for kind, file in files.items() for part in (f"--tls-{kind}", certs / file)]


def seen_by(server):
    """{service: UP|DOWN} in the gateway's view."""
    with server.client() as client:
        components = client.get("/actuator/health").expect(200).json()["components"]
        return {name: component["status"] for name, component in components.items()}


def try_every_node(server):
    """Waits until this gateway has tried to reach every service's node."""
    wait_until(
        lambda: server.stderr().count("event=peer_not_reached") >= len(SERVICES) - 1,
        f"{server.data.name} has tried every node",
        deadline_s=4 * DEADLINE_S,
    )


EVERYBODY = {service: "UP" for service in SERVICES[:-1]}
NOBODY = {service: "DOWN" for service in SERVICES[:-1]}


def test_with_tls_only_a_node_with_a_certificate_gets_in(cluster, tmp_path):
    cluster.up("--tls")
    with cluster.client() as client:
        Shop(client).place()
    wait_until(lambda: "tls=true" in cluster.log("order"), "the log says so")
    ours, others = cluster.folder / "certs", tmp_path / "others"
    assert script("certs", ours, "second").returncode == 0
    assert script("certs", others, "foreign").returncode == 0
    without = gateway_beside(cluster, "without")
    foreign = gateway_beside(cluster, "foreign", *tls(others, "foreign"))
    second = gateway_beside(cluster, "second", *tls(ours, "second"))
    with ExitStack() as stack:
        for server in (without, foreign):
            cluster.strangers.add(stack.enter_context(server).process.pid)
            try_every_node(server)
        for server in (without, foreign):
            assert seen_by(server) == NOBODY
            server.stop()
        cluster.strangers.add(stack.enter_context(second).process.pid)
        wait_until(lambda: seen_by(second) == EVERYBODY, "with a certificate it gets in")
        for service in SERVICES:
            assert "peer_arrived peer=without" not in cluster.log(service)
            assert "peer_arrived peer=foreign" not in cluster.log(service)
        with second.client() as client:
            wait_until(
                lambda: client.post("/orders", COFFEE).expect(201, 503).status == 201,
                "orders go through it",
                deadline_s=3 * DEADLINE_S,
            )
    cluster.down()
    assert not cluster.processes()
    assert_sound(cluster.folder)


def test_with_tls_a_node_comes_back(cluster):
    cluster.up("--tls")
    cluster.run("kill", "payment")
    cluster.run("start", "payment")  # as up had it: with TLS
    wait_until(lambda: cluster.health() == EVERYBODY, "payment is back")
    wait_until(lambda: cluster.log("payment").count("tls=true") == 2, "the log says so")
    cluster.down()


def test_with_tls_a_stranger_who_knocks_disturbs_nobody(cluster):
    cluster.up("--tls")
    with cluster.client() as client, gateway_beside(cluster, "without") as without:
        cluster.strangers.add(without.process.pid)
        order = Shop(client).place()
        try_every_node(without)
        for _ in range(20):
            Shop(client).order(order)
        for service in SERVICES:
            assert "event=peer_lost" not in cluster.log(service)
