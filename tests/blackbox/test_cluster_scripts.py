"""cluster/up, down, status, kill and start: the users' view. TLS is in test_cluster_tls.py.

Every cluster has its own ports and folder, and no process outlives its test.
"""

import os
import signal
import socket
import stat
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from rest import COFFEE, DEADLINE_S, TIME_SCALE, Shop, assert_problem, wait_until
from scripted_cluster import HTTP_DISTANCE, NODE_DISTANCE, SERVICES, Cluster, is_alive, script
from support import BINARY, REPO, assert_sound, clean_environment

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(tmp_path):
    with Cluster(tmp_path / "cluster") as one:
        yield one


@pytest.fixture
def running(cluster):
    """A cluster; at the end cluster/down stops the cluster, and the data must be sound."""
    cluster.up()
    yield cluster
    cluster.down()
    assert not cluster.processes()
    assert_sound(cluster.folder)


# ------------------------------------------------------------------------------------- the tour


def test_a_cluster_goes_up_loses_payment_gets_it_back_and_goes_down(cluster):
    assert f"http://127.0.0.1:{cluster.http}" in cluster.up().stdout
    for service, (state, pid, address, health) in cluster.status().items():
        assert (state, health) == ("running", "UP")
        assert address == f"http://127.0.0.1:{cluster.http + HTTP_DISTANCE[service]}"
        assert int(pid) == cluster.pid(service)

    with cluster.client() as client:
        shop = Shop(client)
        order = shop.place()
        assert cluster.run("kill", "payment").stdout == "payment is killed\n"
        states = {name: fields[0] for name, fields in cluster.status(status=1).items()}
        assert states == {name: "running" for name in SERVICES} | {"payment": "stopped"}

        answer = client.post("/orders", COFFEE)
        assert_problem(answer, 503)
        assert answer.header("Retry-After")
        wait_until(lambda: cluster.health()["payment"] == "DOWN", "the gateway knows it")
        assert shop.order(order)["orderStatus"] == "Order complete"
        assert_problem(client.get(f"/payments/{order}"), 503)
        shop.cancel_order(order)

        assert "payment is running" in cluster.run("start", "payment").stdout
        client.post("/orders", COFFEE).expect(201)
        shop.wait_payment(order, "CANCEL")

    before = cluster.processes()
    assert "already running" in cluster.up().stdout
    assert cluster.processes() == before

    assert cluster.down().stdout == "The cluster is down\n"
    assert not cluster.processes()
    assert {fields[0] for fields in cluster.status(status=1).values()} == {"stopped"}
    assert_sound(cluster.folder)


def test_data_outlive_down_and_up(running):
    with running.client() as client:
        order = Shop(client).place()
    running.down()
    running.up()
    with running.client() as client:
        assert Shop(client).order(order)["id"] == order


def test_what_is_kept_of_a_cluster_is_its_owners_alone(running):
    for path in [running.folder, *running.folder.rglob("*")]:
        assert not path.lstat().st_mode & 0o077, path


def test_every_service_shows_its_resources_at_its_own_port(running):
    with running.client() as client:
        order = Shop(client).place()
    paths = {"order": "/orders", "payment": "/payments", "delivery": "/deliveries"}
    paths |= {"stamp": "/stamps", "ordertrace": "/orderTraces"}
    for service, path in paths.items():
        with running.client(service) as client:
            client.get(path).expect(200)
            client.get("/actuator/health/readiness").expect(200)
    with running.client("order") as client:
        assert client.get(f"/orders/{order}").expect(200).json()["id"] == order
        client.get(f"/payments/{order}").expect(404)


# ---------------------------------------------------------------------- run twice, and in any order


def test_up_starts_what_is_missing(running):
    before = running.pid("order")
    running.run("kill", "stamp")
    running.run("kill", "gateway")
    assert "started stamp gateway" in running.up().stdout
    assert running.pid("order") == before
    running.status()


def test_up_finds_the_running_cluster_without_its_port(running):
    assert str(running.http) in running.run("up").stdout


def test_up_refuses_another_port_than_the_running_clusters(running):
    done = running.run("up", "--http", running.http + 20, status=1)
    assert f"runs at port {running.http}" in done.stderr
    running.status()


def test_down_twice_and_down_without_a_cluster(cluster):
    assert "No cluster is running" in cluster.down().stdout
    assert not cluster.folder.exists()
    cluster.up()
    cluster.down()
    assert cluster.down().stdout == "The cluster is not running\n"


def test_start_and_kill_twice(running):
    pid = running.pid("stamp")
    assert running.run("start", "stamp").stdout == "stamp is already running\n"
    assert running.pid("stamp") == pid
    running.run("kill", "stamp")
    assert running.run("kill", "stamp").stdout == "stamp is not running\n"
    running.run("start", "stamp")


def test_start_without_a_cluster_says_what_makes_one(cluster):
    done = cluster.run("start", "payment", status=1)
    assert "cluster/up makes one" in done.stderr


def test_two_ups_at_once_start_each_node_once(cluster):
    arguments = ["--dir", str(cluster.folder), "--http", str(cluster.http)]
    both = [
        subprocess.Popen(
            [str(REPO / "cluster/up"), *arguments],
            env=clean_environment({"SKANU_BIN": str(BINARY)}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = sorted(one.communicate(timeout=60 * TIME_SCALE)[0] for one in both)
    assert [one.returncode for one in both] == [0, 0]
    assert said[0].startswith("The cluster is already running")
    assert said[1].startswith("The cluster is up")
    assert len(cluster.processes()) == len(SERVICES)
    cluster.down()


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("up", ["--http", "7"]),
        ("up", ["--http", "64536"]),
        ("up", ["--http", "x"]),
        ("up", ["--http"]),
        ("up", ["payment"]),
        ("down", ["--tls"]),
        ("down", ["--", "--log-level", "debug"]),
        ("status", ["--http", "8088"]),
        ("kill", []),
        ("kill", ["brewing"]),
        ("kill", ["order", "payment"]),
        ("start", []),
        ("start", ["--dir"]),
        ("certs", []),
    ],
)
def test_a_bad_command_line_is_refused(name, arguments, tmp_path):
    done = script(name, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert not list(tmp_path.iterdir()), "it leaves nothing behind"


@pytest.mark.parametrize("name", ["up", "down", "status", "kill", "start", "certs"])
def test_help(name, tmp_path):
    done = script(name, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: cluster/{name}")


# ------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize("distance", [HTTP_DISTANCE["delivery"], NODE_DISTANCE - 6])
def test_a_port_in_use_is_named_and_nothing_stays(cluster, distance):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", cluster.http + distance))
        taken.listen()
        done = cluster.up(status=1)
    assert f"127.0.0.1:{cluster.http + distance}" in done.stderr
    assert not cluster.processes()
    cluster.up()
    cluster.down()


def test_a_failed_up_leaves_what_ran_before(cluster):
    cluster.up()
    cluster.run("kill", "payment")
    cluster.run("kill", "stamp")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", cluster.http + HTTP_DISTANCE["payment"]))
        taken.listen()
        cluster.up(status=1)
    states = {name: fields[0] for name, fields in cluster.status(status=1).items()}
    assert states == {name: "running" for name in SERVICES} | {
        "payment": "stopped",
        "stamp": "stopped",
    }
    cluster.down()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("last", ["order", "payment", "gateway"])
def test_an_interrupted_up_leaves_nothing(cluster, number, last):
    process = subprocess.Popen(
        [str(REPO / "cluster/up"), "--dir", cluster.folder, "--http", str(cluster.http)],
        env=clean_environment({"SKANU_BIN": str(BINARY)}),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(lambda: (cluster.folder / "run" / f"{last}.stdout").exists(), "it starts nodes")
    os.killpg(process.pid, number)
    assert process.wait(30 * TIME_SCALE) != 0
    assert not cluster.processes()


def test_a_bad_option_for_a_node_is_shown(cluster):
    done = cluster.up("--", "--log-level", "loud", status=1)
    assert "--log-level" in done.stderr
    assert not cluster.processes()


def test_a_program_that_is_not_there_is_named(cluster):
    environment = clean_environment({"SKANU_BIN": str(cluster.folder / "none")})
    done = subprocess.run(
        [str(REPO / "cluster/up"), "--dir", str(cluster.folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 1
    assert "./dev build" in done.stderr


@contextmanager
def stranger():
    """A process outside every cluster."""
    process = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_stranger_with_a_nodes_process_id_is_left_alone(running):
    """A reboot, or a busy machine, may give a dead node's process id to another process."""
    pid_file = running.folder / "run" / "payment.pid"
    known = pid_file.read_text().split()
    running.run("kill", "payment")
    with stranger() as process:
        for text in (f"{process.pid} {' '.join(known[1:])}\n", f"{process.pid}\n"):
            pid_file.write_text(text)
            assert running.status(status=1)["payment"][0] == "stopped"
            assert running.run("kill", "payment").stdout == "payment is not running\n"
            assert process.poll() is None
        running.run("start", "payment")
        pid_file.write_text(f"{process.pid} {' '.join(known[1:])}\n")
        orphan = running.processes()
        running.down()
        assert process.poll() is None
        # down does not know the node with the overwritten file, so the test ends the node.
        (left,) = running.processes()
        assert left in orphan
        os.kill(left, signal.SIGTERM)
        wait_until(lambda: not is_alive(left), "it ends")


@pytest.mark.parametrize("text", ["", "\n", "rubbish\n", "-1\n", "0 0 0\n", "../1 2 3\n"])
def test_a_pid_file_with_rubbish_counts_as_stopped(cluster, text):
    (cluster.folder / "run").mkdir(parents=True)
    (cluster.folder / "run" / "payment.pid").write_text(text)
    assert cluster.status(status=1)["payment"][0] == "stopped"
    assert cluster.down().stdout == "The cluster is not running\n"


def test_a_frozen_node_is_silent_in_status_and_down_ends_it(running):
    os.kill(running.pid("stamp"), signal.SIGSTOP)
    state, _, _, health = running.status()["stamp"]
    assert (state, health) == ("running", "silent")
    assert "killed" not in running.down().stderr


def test_a_node_was_killed_while_it_drained(running):
    running.run("kill", "gateway")
    running.run("start", "gateway", "--", "--drain", "600s")
    assert "killed" not in running.down().stderr
    assert "event=stopped" in (running.folder / "log" / "gateway.log").read_text()


# ------------------------------------------------------------------------ detached, options, secret


def test_nodes_are_detached_from_their_caller(running):
    """script() has read up's pipes to the end; this test checks the descriptors of each node."""
    running.run("kill", "stamp")
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    script("start", "stamp", "--dir", running.folder, close_fds=False)
    os.close(writer)
    assert os.read(reader, 1) == b"", "a node holds a descriptor of its caller"
    os.close(reader)
    for service in SERVICES:
        pid = running.pid(service)
        assert os.getsid(pid) == pid
        assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
        for descriptor in (1, 2):
            assert str(running.folder) in os.readlink(f"/proc/{pid}/fd/{descriptor}")
        held = [os.readlink(f"/proc/{pid}/fd/{d}") for d in os.listdir(f"/proc/{pid}/fd")]
        assert str(running.folder / "run" / "lock") not in held


def test_options_behind_two_dashes_go_to_every_node(cluster):
    cluster.up("--", "--log-level", "error")
    for service in SERVICES:
        command = Path(f"/proc/{cluster.pid(service)}/cmdline").read_text().split("\0")
        assert command[command.index("--log-level") + 1] == "error"
    cluster.down()


def test_one_node_can_have_a_fault(running):
    running.run("kill", "payment")
    running.run("start", "payment", "--", "--fault", "payment-fail=1")
    with running.client() as client:
        wait_until(
            lambda: client.post("/orders", COFFEE).expect(503).json()["title"] != "Service away",
            "payment is back, and refuses",
        )
    running.run("kill", "payment")
    running.run("start", "payment")
    with running.client() as client:
        wait_until(
            lambda: client.post("/orders", COFFEE).expect(201, 503).status == 201,
            "the fault went with its node, and the breaker closes",
            deadline_s=3 * DEADLINE_S,
        )


def test_the_secret_is_made_once_and_is_nobody_elses_to_read(running):
    secret = running.folder / "secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    text = secret.read_text()
    assert len(text.strip()) == 64
    running.down()
    running.up()
    assert secret.read_text() == text


def test_a_folder_with_blanks(tmp_path):
    with Cluster(tmp_path / "our shop's cluster") as one:
        one.up("--tls")
        one.status()
        one.down()
        assert not one.processes()
