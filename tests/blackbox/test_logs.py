"""The log: opened anew at SIGHUP, and as JSON lines."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading

import pytest
from cluster import Cluster
from rest import COFFEE, wait_until
from support import BINARY, REPO, Server, assert_refused, skanu


not_under_a_sanitizer = pytest.mark.skipif(
    "asan" in os.environ.get("SKANU_BIN", ""), reason="the sanitizer reports crashes itself"
)


def paths_in(text):
    return [int(n) for n in re.findall(r"event=request .*path=\"/orders/(\d+)\"", text)]


@pytest.mark.parametrize("arguments", [[], ["--services", "order"]], ids=["process", "node"])
def test_sighup_killed_the_server_and_now_opens_the_log_anew(tmp_path, arguments):
    log, old = tmp_path / "skanu.log", tmp_path / "skanu.log.1"
    with Server(tmp_path / "data", "--log-file", log, *arguments) as server:
        asked, stop = [], threading.Event()

        def ask():
            client = server.client()
            while not stop.is_set():
                asked.append(len(asked) + 1)
                client.get(f"/orders/{asked[-1]}").expect(404)

        asker = threading.Thread(target=ask)
        asker.start()
        wait_until(lambda: paths_in(log.read_text()), "requests are made")
        log.rename(old)
        server.send_signal(signal.SIGHUP)
        wait_until(lambda: log.exists() and "event=log_opened_anew" in log.read_text(), "a new log")
        wait_until(lambda: paths_in(log.read_text()), "further requests are made")
        stop.set()
        asker.join()
    assert log.stat().st_mode & 0o777 == 0o600
    before, after = paths_in(old.read_text()), paths_in(log.read_text())
    assert before and after
    assert before + after == asked, "no line is lost, none is in both, all are in their order"
    assert "event=stopped" in log.read_text()


@not_under_a_sanitizer
def test_a_crash_after_sighup_writes_to_the_new_log(tmp_path):
    log = tmp_path / "skanu.log"
    server = Server(tmp_path / "data", "--log-file", log).start()
    log.rename(tmp_path / "old")
    server.send_signal(signal.SIGHUP)
    wait_until(lambda: log.exists() and "log_opened_anew" in log.read_text(), "a new log")
    server.send_signal(signal.SIGABRT)
    server.wait_dead()
    if "AddressSanitizer" in server.stderr():
        pytest.skip("sanitizers report crashes themselves")
    assert "event=crashed signal=SIGABRT" in log.read_text()


def test_a_log_that_cannot_be_opened_anew_goes_on_in_the_old_file(tmp_path):
    folder, log = tmp_path / "logs", tmp_path / "logs" / "skanu.log"
    folder.mkdir()
    with Server(tmp_path / "data", "--log-file", log) as server:
        log.rename(tmp_path / "old")
        folder.rmdir()
        server.send_signal(signal.SIGHUP)
        old = tmp_path / "old"
        wait_until(lambda: "event=log_not_opened_anew" in old.read_text(), "the old log says so")
        server.client().get("/orders/7").expect(404)
    assert paths_in(old.read_text()) == [7]


def test_sighup_changes_nothing_without_a_log_file(tmp_path):
    with Server(tmp_path / "data") as server:
        for _ in range(3):
            server.send_signal(signal.SIGHUP)
        server.client().get("/orders/7").expect(404)
        wait_until(lambda: paths_in(server.stderr()) == [7], "the request's line")
        server.client().post("/orders", COFFEE).expect(201)
    assert "log_opened_anew" not in server.stderr()


@pytest.fixture(scope="module")
def named_program(tmp_path_factory):
    """The program under a name of its own: the README's line must not meet another server."""
    program = tmp_path_factory.mktemp("program") / f"sk{os.getpid()}"
    shutil.copy(BINARY, program)
    return program


def readmes_rules(log, name):
    readme = (REPO / "README.md").read_text()
    lines = re.search(r"^(/var/log/\S+ \{\n.*?^\})$", readme, re.S + re.M)
    head, script = lines[1].split("postrotate\n")
    assert script.count("skanu") == 1, "the line that names the program"
    return f"{log} {head[head.index('{'):]}postrotate\n{script.replace('skanu', name)}"


def started_as(program, *words):
    """A server that was started as `program` with the words before `serve`."""

    class Named(Server):
        def command(self):
            command = super().command()
            command[command.index(str(BINARY))] = str(program)
            at = command.index("serve")
            return [*command[:at], *map(str, words), *command[at:]]

    return Named


@pytest.mark.skipif(not os.access("/usr/sbin/logrotate", os.X_OK), reason="no logrotate here")
@pytest.mark.parametrize("packaged", [False, True], ids=["alone", "as-its-unit-starts-it"])
def test_the_readmes_lines_killed_their_own_shell_or_met_no_server(
        tmp_path, named_program, packaged):
    log = tmp_path / "skanu.log"
    (tmp_path / "toml").write_text("")
    words = ["--config", tmp_path / "toml"] if packaged else []
    server_class = started_as(named_program, *words)
    with server_class(tmp_path / "data", "--log-file", log) as server:
        server.client().post("/orders", COFFEE).expect(201)
        follower = subprocess.Popen([named_program, "events", "--follow", "--data", server.data],
                                    stdout=subprocess.PIPE)
        assert follower.stdout.readline()
        rules = tmp_path / "rules"
        rules.write_text(readmes_rules(log, named_program.name))
        rules.chmod(0o600)
        for _ in range(2):
            done = subprocess.run(
                ["/usr/sbin/logrotate", "--force", "--state", tmp_path / "state", rules],
                capture_output=True, text=True, timeout=20)
            assert (done.returncode, done.stderr) == (0, "")
            wait_until(lambda: log.exists() and "log_opened_anew" in log.read_text(), "a new log")
        assert follower.poll() is None, "it ended a command that is no server"
        follower.kill()
        follower.communicate()


def test_a_log_pipe_that_nobody_reads_held_the_start_and_the_stop(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = skanu("serve", "--data", tmp_path / "data", "--http", "127.0.0.1:0", "--log-file", pipe)
    assert_refused(done)
    assert str(pipe) in done.stderr and "nobody reads" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_log_pipe_that_lost_its_reader_let_no_sighup_and_no_sigterm_through(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    said = bytearray()

    def is_read(words):
        with contextlib.suppress(BlockingIOError):
            said.extend(os.read(reader, 1 << 16))
        return words in said

    with Server(tmp_path / "data", "--log-file", pipe) as server:
        server.client().get("/orders/6").expect(404)
        wait_until(lambda: is_read(b"/orders/6"), "the log is read")
        os.close(reader)
        server.send_signal(signal.SIGHUP)
        server.client().get("/orders/7").expect(404)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        server.send_signal(signal.SIGHUP)
        wait_until(lambda: is_read(b"event=log_opened_anew"), "the next reader gets the lines")
        os.close(reader)
        server.send_signal(signal.SIGHUP)


def strict_object(line):
    """Refuses a member that is there twice, as strict readers do; json.loads takes the last one."""

    def members(pairs):
        names = [name for name, _ in pairs]
        assert len(set(names)) == len(names), line
        return dict(pairs)

    return json.loads(line, object_pairs_hook=members)


def test_a_json_log_has_an_object_in_each_line(tmp_path):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with Server(tmp_path / "data", "--log-format", "json", "--name", "one") as server:
        client = server.client()
        client.get("/orders/1%20status=200%22").expect(404)
        header = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        client.post("/orders", COFFEE, header).expect(201)
    lines = [strict_object(line) for line in server.stderr().splitlines()]
    assert {"time", "level", "node", "event"} <= set.intersection(*map(set, lines))
    assert {line["node"] for line in lines} == {"one"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", line["time"]) for line in lines)
    strange, placed = [line for line in lines if line["event"] == "request"]
    assert (strange["path"], strange["status"]) == ('/orders/1 status=200"', 404)
    assert (placed["method"], placed["trace"], placed["level"]) == ("POST", trace, "info")
    assert isinstance(placed["us"], int)


def test_a_line_about_another_node_was_that_nodes_line(tmp_path):
    with Cluster(tmp_path, nodes=("gateway", "order"), arguments=["--log-format", "json"]) as here:
        for name, node in here.nodes.items():
            lines = [strict_object(line) for line in node.stderr().splitlines()]
            assert {line["node"] for line in lines} == {name}
            assert "node_listens" in {line["event"] for line in lines}


@not_under_a_sanitizer
def test_a_crash_is_told_in_json_too(tmp_path):
    server = Server(tmp_path / "data", "--log-format", "json").start()
    server.send_signal(signal.SIGABRT)
    server.wait_dead()
    if "AddressSanitizer" in server.stderr():
        pytest.skip("sanitizers report crashes themselves")
    last = json.loads(server.stderr().splitlines()[-1])
    assert (last["event"], last["signal"], last["level"]) == ("crashed", "SIGABRT", "critical")
