"""The port for other nodes: limits on connections, their time and memory, and certificates."""

import contextlib
import os
import re
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest
from cluster import Cluster
from rest import DEADLINE_S, TIME_SCALE, wait_until
from support import REPO, skanu

CERTS = REPO / "cluster" / "certs"
KEPT_S, MOST_STRANGERS = 5, 64
SHORT_OF_FILES = ["sh", "-c", 'ulimit -n 300 && exec "$@"', "sh"]


def make_certificates(folder, *names):
    subprocess.run([CERTS, folder, *names], check=True, timeout=6 * DEADLINE_S)
    return folder


def tls(certs, name):
    files = {"cert": f"{name}.pem", "key": f"{name}-key.pem", "ca": "ca.pem"}
    return [part for kind, file in files.items() for part in (f"--tls-{kind}", certs / file)]


def with_tls(folder, nodes=("gateway", "stamp")):
    """A cluster of the given nodes, each with its own certificate."""
    certs = make_certificates(folder / "certs", *nodes)
    return Cluster(folder / "nodes", nodes=list(nodes), per_node={n: tls(certs, n) for n in nodes})


@contextlib.contextmanager
def connections(place, count, said=b""):
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(count):
            made.append(stack.enter_context(socket.create_connection(place, 10)))
            with contextlib.suppress(OSError):
                made[-1].sendall(said)
        yield made


def is_open(connection):
    """Reads CAF's first bytes."""
    connection.setblocking(False)
    try:
        while True:
            if connection.recv(4096) == b"":
                return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def count_open(made):
    return sum(map(is_open, made))


def announcing(length):
    """A header that announces a hello of `length` bytes; the hello never comes."""
    return struct.pack(">BxxxIQQQ", 0, length, 3, 0, 0)


def resident_kb(server):
    """The process's peak resident memory so far, in kB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])


@pytest.fixture(params=["plain", "tls"])
def pair(request, tmp_path):
    """A gateway and a stamp node with few descriptors."""
    make = with_tls if request.param == "tls" else lambda folder: Cluster(
        folder / "nodes", nodes=["gateway", "stamp"]
    )  # fmt: skip
    cluster = make(tmp_path)
    cluster["stamp"].prefix = SHORT_OF_FILES
    with cluster:
        yield cluster.wait_up("stamp")


def assert_stamps_go(cluster, phone):
    with cluster.client() as client:
        client.post("/stamps", {"phoneNumber": phone, "stampQty": 1}).expect(200, 201)


def test_silent_connections_were_never_closed(pair):
    """400 silent connections must not stop a node with 300 descriptors."""
    stamp = pair["stamp"]
    with connections(pair.hosts["stamp"], 400) as made:
        wait_until(lambda: count_open(made) <= MOST_STRANGERS, "the oldest have made room")
        assert_stamps_go(pair, "0105550101")
        wait_until(lambda: count_open(made) == 0, "silence is ended", (KEPT_S + 5) * TIME_SCALE)
        assert_stamps_go(pair, "0105550101")
    for words in ("it proved nothing in time", "too many connections have proved nothing yet"):
        wait_until(lambda said=words: said in stamp.stderr(), words)
    log = stamp.stderr()
    assert log.count("it proved nothing in time") == 1, "it is said once"
    assert log.count("too many connections have proved nothing yet") == 1
    assert "event=peer_refused peer=127.0.0.1" in log
    assert "event=peer_lost" not in log + pair["gateway"].stderr()
    pair.kill("stamp")
    pair.again("stamp")
    pair.wait_up("stamp")


def test_a_node_that_has_proved_itself_stays_beyond_the_time_of_strangers(tmp_path):
    with Cluster(tmp_path / "nodes", nodes=["gateway", "stamp"]) as cluster:
        cluster.wait_up("stamp")
        with connections(cluster.hosts["stamp"], 1) as made:
            wait_until(lambda: count_open(made) == 0, "a stranger goes", (KEPT_S + 5) * TIME_SCALE)
        assert_stamps_go(cluster, "0105550102")
        assert "event=peer_lost" not in cluster["gateway"].stderr() + cluster["stamp"].stderr()


def test_what_strangers_announced_stayed_resident(tmp_path):
    """Announced lengths of strangers must not stay allocated."""
    with Cluster(tmp_path / "nodes", nodes=["gateway", "stamp"]) as cluster:
        cluster.wait_up("stamp")
        before = resident_kb(cluster["stamp"])
        for length in (64 * 1024 + 1, 32 * 1024 * 1024):
            with connections(cluster.hosts["stamp"], 64, announcing(length)) as made:
                # CAF itself ends a silent connection only after 2.5 s.
                wait_until(
                    lambda: count_open(made) == 0, "they are cut off at once", 1 * TIME_SCALE
                )
        said = announcing(64 * 1024) + bytes(60 * 1024)
        with connections(cluster.hosts["stamp"], 64, said) as made:
            assert_stamps_go(cluster, "0105550103")
        assert resident_kb(cluster["stamp"]) < before + 40_000
        assert_stamps_go(cluster, "0105550103")


# ---------------------------------------------------------------------------------- certificates


def show(certs, node, name):
    """Replaces the node's certificate. CAF reads the files for each connection, so the node shows
    the new certificate without a start's check, like a stranger's program."""
    for end in (".pem", "-key.pem"):
        (certs / f"{name}{end}").replace(certs / f"{node}{end}")


def assert_kept_apart(cluster, **said):
    """The gateway, started last, and the other node both log the reason."""
    cluster["gateway"].start()
    for name, words in said.items():
        wait_until(lambda: words in cluster[name].stderr(), f"{name}: {words}", 3 * DEADLINE_S)
    assert cluster.health()["components"]["stamp"]["status"] == "DOWN"
    assert "event=peer_arrived" not in cluster["stamp"].stderr() + cluster["gateway"].stderr()


@pytest.fixture
def stamp_alone(tmp_path):
    """A cluster with TLS in which only the stamp node runs."""
    with contextlib.ExitStack() as stack:
        cluster = with_tls(tmp_path)
        stack.callback(cluster.stop)
        cluster["stamp"].start()
        yield cluster, tmp_path / "certs"


def test_with_its_own_certificate_each_node_gets_in(tmp_path):
    with with_tls(tmp_path) as cluster:
        cluster.wait_up("stamp")
        assert_stamps_go(cluster, "0105550104")


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60)


def certificate_for(certs, name, days):
    """Renews the certificate, to end in the given number of days."""
    openssl(
        "req", "-new", "-key", certs / f"{name}-key.pem", "-subj", f"/CN={name}",
        "-out", certs / "r",
    )  # fmt: skip
    openssl(
        "x509", "-req", "-in", certs / "r", "-CA", certs / "ca.pem", "-CAkey", certs / "ca-key.pem",
        "-set_serial", "77", "-days", days, "-out", certs / f"{name}.pem",
    )  # fmt: skip
    return certs


def serve_with(tmp_path, certs, node, name):
    return skanu(
        "serve", "--http", "127.0.0.1:0", "--data", tmp_path / "data", "--services", node,
        *tls(certs, name),
    )  # fmt: skip


@pytest.mark.parametrize(
    "days, name, words", [(0, "stamp", "has expired"), (825, "gateway", "does not name this node")]
)
def test_a_node_does_not_start_with_a_certificate_that_none_would_take(tmp_path, days, name, words):
    certs = certificate_for(make_certificates(tmp_path / "certs", "stamp", "gateway"), name, days)
    done = serve_with(tmp_path, certs, "stamp", name)
    assert done.returncode == 2 and words in done.stderr, done
    assert len(done.stderr.splitlines()) == 1 and not (tmp_path / "data").exists()


def test_a_node_warns_of_its_certificates_end(tmp_path):
    cluster = with_tls(tmp_path)
    certificate_for(tmp_path / "certs", "stamp", 29)
    with cluster:
        cluster.wait_up("stamp")
        said = "event=certificate_ends_soon days=28"
        wait_until(lambda: said in cluster["stamp"].stderr(), "its end is near")
        assert "event=certificate_ends_soon" not in cluster["gateway"].stderr()
        figures = cluster.client("stamp").get("/actuator/prometheus").expect(200).body.decode()
        (ends,) = re.findall(r"^skanu_certificate_ends_timestamp_seconds (\d+)$", figures, re.M)
        assert 28 * 86_400 < int(ends) - time.time() <= 29 * 86_400


def test_a_key_that_others_may_read_is_warned_of(tmp_path):
    cluster = with_tls(tmp_path)
    (key,) = (tmp_path / "certs").glob("stamp*key*")
    key.chmod(0o644)
    with cluster:
        said = f'event=open_to_others path="{key}" mode=644'
        wait_until(lambda: said in cluster["stamp"].stderr(), "others may read its key")
        assert "event=open_to_others" not in cluster["gateway"].stderr()


def test_any_certificate_of_the_authority_was_any_node(stamp_alone):
    """A gateway's certificate must not pass for payment's, or orders go into a stranger's
    database."""
    cluster, certs = stamp_alone
    show(make_certificates(certs, "other"), "stamp", "other")
    words = "its certificate names another node"
    assert_kept_apart(cluster, gateway=f'reason="{words}"', stamp=f"it refused us: {words}")
    for node in (cluster["gateway"], cluster["stamp"]):
        wait_until(lambda n=node: "event=peer_refused peer=" in n.stderr(), "the refusal is said")
    words = "it refuses us: our certificate does not name this node"
    wait_until(lambda: words in cluster["stamp"].stderr(), "the door says so, too")


def test_an_expired_certificate_is_refused_by_name(stamp_alone):
    cluster, certs = stamp_alone
    certificate_for(certs, "stamp", 0)
    assert_kept_apart(
        cluster,
        gateway="its certificate: certificate has expired",
        stamp="it refuses our TLS: sslv3 alert certificate expired",
    )


def test_a_certificate_of_another_authority_is_refused_by_name(stamp_alone, tmp_path):
    cluster, certs = stamp_alone
    others = make_certificates(tmp_path / "others", "stamp")
    for end in (".pem", "-key.pem"):
        (others / f"stamp{end}").replace(certs / f"stamp{end}")
    assert_kept_apart(
        cluster,
        gateway="its certificate: unable to get local issuer certificate",
        stamp="it refuses our TLS: tlsv1 alert unknown ca",
    )


# ---------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "content, mode, words",
    [
        ("of this cluster!\n", 0o640, "chmod 600"),
        ("of this cluster!\n", 0o604, "chmod 600"),
        ("of this cluster\n", 0o600, "fewer than 16 bytes"),
        ("\n", 0o600, "no secret"),
    ],
)
def test_a_secret_that_is_none_gives_2_and_one_line(tmp_path, content, mode, words):
    secret = tmp_path / "secret"
    secret.write_text(content)
    os.chmod(secret, mode)
    done = skanu(
        "serve", "--http", "127.0.0.1:0", "--data", tmp_path / "data", "--services", "stamp",
        "--secret-file", secret,
    )  # fmt: skip
    assert done.returncode == 2 and words in done.stderr, done
    assert len(done.stderr.splitlines()) == 1 and not (tmp_path / "data").exists()


def test_beyond_loopback_without_tls_a_node_needs_a_secret(tmp_path):
    done = skanu(
        "serve", "--http", "127.0.0.1:0", "--data", tmp_path / "data", "--services", "stamp",
        "--node", "0.0.0.0:0", "--node-without-tls",
    )  # fmt: skip
    assert done.returncode == 2 and "--secret-file" in done.stderr, done
