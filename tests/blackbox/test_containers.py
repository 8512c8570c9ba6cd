"""Programs in containers on one data directory: process ids are each container's own, and equal."""

import os
import subprocess

import pytest
from rest import COFFEE, DEADLINE_S, wait_until
from support import BINARY, Server, clean_environment

OWN_IDS = [
    "unshare",
    *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]),
    *("--pid", "--fork", "--kill-child"),
]
# `events` reads in a child, the second process of its container; so is this program.
SECOND = [*OWN_IDS, "sh", "-c", '"$0" "$@" & wait $!']


@pytest.fixture(autouse=True)
def _may_make_namespaces():
    try:
        done = subprocess.run([*OWN_IDS, "true"], capture_output=True, timeout=DEADLINE_S)
    except FileNotFoundError:
        pytest.skip("needs unshare")
    if done.returncode != 0:
        pytest.skip("may not make a namespace of process ids")


@pytest.fixture
def sidecar(tmp_path):
    """Starts `events --follow` on a data directory as the first process of a container."""
    started = []

    def start(data):
        out = tmp_path / f"events-{len(started)}"
        with open(out, "wb") as file:
            command = [*OWN_IDS, str(BINARY), "events", "--data", str(data), "--follow"]
            started.append(subprocess.Popen(
                command, stdout=file, stderr=file, stdin=subprocess.DEVNULL,
                env=clean_environment()))
        wait_until(lambda: '"Ordered"' in out.read_text(), "it reads")
        return out

    yield start
    for one in started:
        one.kill()
        one.wait()


@pytest.fixture
def data(tmp_path):
    with Server(tmp_path / "data") as server:
        server.client().post("/orders", COFFEE).expect(201)
    return tmp_path / "data"


@pytest.mark.parametrize("container", [OWN_IDS, SECOND], ids=["first", "second"])
def test_a_sidecar_of_the_same_process_id_kept_the_server_from_starting(sidecar, data, container):
    followed = [sidecar(data) for _ in range(3)]
    server = Server(data, prefix=container).start()
    server.client().post("/orders", {**COFFEE, "productName": "While watched"}).expect(201)
    for out in followed:
        wait_until(lambda: "While watched" in out.read_text(), "it goes on")
    server.kill()
    # A server that was killed comes back beside the sidecars, with the same process id.
    server = Server(data, prefix=container).start()
    server.client().get("/orders/2").expect(200)
    server.kill()


def test_programs_of_the_servers_process_id_read_beside_it(data, tmp_path):
    server = Server(data, prefix=SECOND).start()
    for n in range(5):
        for words in (["audit"], ["events"], ["backup", "--to", tmp_path / f"copy-{n}"]):
            command = [*OWN_IDS, BINARY, words[0], "--data", data, *words[1:]]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=4 * DEADLINE_S,
                env=clean_environment())
            assert done.returncode == 0, done
    server.client().post("/orders", COFFEE).expect(201)
    server.kill()
