"""The examples and the README's walk-through work as written. Needs HTTPie and siege.

README: every line of a ```console block that starts with "$ " is a command, followed by its output.
"""

import importlib.util
import os
import re
import subprocess
import time

import pytest
from rest import CANCEL, COFFEE, DEADLINE_S, Client, END, TIME_SCALE, fresh_phone, wait_until
from scripted_cluster import Cluster
from support import BINARY, REPO, Server, assert_sound, clean_environment

EXAMPLES = REPO / "examples"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def run(*command, cwd=None, deadline_s=60, **environment):
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=deadline_s * TIME_SCALE,
    )


def example(name, *arguments, **environment):
    return run(EXAMPLES / name, *arguments, **environment)


def assert_succeeds(done):
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def serve(tmp_path):
    """serve(*options) starts a server; at the end it stops, and its data must be sound."""
    servers = []

    def start(*options):
        server = Server(tmp_path / "data", *options)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        try:
            server.stop()
        finally:
            if server.running():
                server.kill()
        assert_sound(server.data)


def base(server):
    return f"http://127.0.0.1:{server.port}"


def get(server, path):
    """The resource's body; None for a missing resource."""
    with server.client() as client:
        answer = client.get(path)
        return answer.json() if answer.status == 200 else None


def send(server, method, path, body=None):
    with server.client() as client:
        return client.request(method, path, body).expect(200, 201, 204)


# ---------------------------------------------------------------------------------- walk-through


def test_the_walkthrough_ends_as_expected_however_often(serve):
    server, phone = serve(), fresh_phone()
    for times in (1, 2):
        output = assert_succeeds(example("walkthrough.sh", BASE=base(server), PHONE=phone))
        assert output.endswith("All as expected.\n")
        assert get(server, f"/stamps/{phone}")["stampQty"] == 2 * times


def test_the_walkthrough_fails_where_payment_does(serve):
    server = serve("--fault", "payment-fail=1")
    done = example("walkthrough.sh", BASE=base(server))
    assert done.returncode == 1
    assert "expected 201 for POST /orders, not 503" in done.stderr


def test_the_walkthrough_fails_where_no_server_is():
    done = example("walkthrough.sh", BASE="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "is the server running?" in done.stderr


# --------------------------------------------------------------------------- the original's users


def test_the_original_commands_still_work(serve):
    server = serve()
    assert_succeeds(example("original_commands.sh", HOST=f"127.0.0.1:{server.port}"))
    assert get(server, "/orders?size=1")["page"]["totalElements"] == 10
    assert get(server, "/orders/1")["orderStatus"] == "Order Cancelled"
    assert get(server, "/orders/10")["productName"] == "RedTea"
    payment = get(server, "/payments/2")
    assert (payment["paymentStatus"], payment["paymentType"]) == (END, "cash")
    wait_until(lambda: get(server, "/deliveries/2"), "the paid drink is prepared")
    wait_until(lambda: get(server, "/payments/1")["paymentStatus"] == CANCEL, "payment 1 follows")


def test_the_command_that_is_left_out_is_refused_as_its_script_says(serve):
    server = serve()
    said = assert_succeeds(example("original_commands.sh", "--help"))
    assert "422" in said and "payment\n1" in said.replace("payment 1", "payment\n1")
    address = f"127.0.0.1:{server.port}"
    assert_succeeds(example("original_commands.sh", HOST=address))
    done = run("http", "--ignore-stdin", "--check-status", "put", f"{address}/payments/1",
               "cost=1000", "orderId=2", "paymentStatus=END", "paymentType=cash", "productId=1",
               "productName=coffee", "qty=1")
    assert done.returncode == 4 and "422" in done.stdout + done.stderr, done


SCRIPTS = [path for folder in ("examples", "cluster") for path in sorted((REPO / folder).iterdir())
           if path.is_file() and os.access(path, os.X_OK)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(REPO)))
def test_help_of_a_script_explains_and_does_nothing(tmp_path, script):
    for word in ("--help", "-h"):
        output = assert_succeeds(run(str(script), word, cwd=tmp_path))
        assert "usage: " in output and len(output.splitlines()) > 2
    assert list(tmp_path.iterdir()) == []


def test_the_sample_configuration_has_the_defaults(tmp_path):
    """Every option but --restored has a line, which says the same as no line."""
    sample = (REPO / "examples" / "skanu.toml").read_text()
    active = re.sub(r"^# (?=[a-z-]+ = )", "", sample, flags=re.MULTILINE)
    names = set(re.findall(r"^([a-z-]+) = ", active, re.MULTILINE))
    config = tmp_path / "skanu.toml"
    config.write_text(active)

    def understood(*words):
        done = run(str(BINARY), "--print-config", *words, "serve", cwd=tmp_path)
        lines = assert_succeeds(done).splitlines()[1:]
        return {name: value for name, value in (line.split(" = ", 1) for line in lines)}

    defaults, given = understood(), understood("--config", str(config))
    assert names == set(defaults) - {"restored"}
    assert given == defaults
    assert understood("--config", str(REPO / "examples" / "skanu.toml")) == defaults


def test_the_original_commands_say_when_one_is_refused(serve):
    server = serve("--fault", "payment-fail=1")
    done = example("original_commands.sh", HOST=f"127.0.0.1:{server.port}")
    assert done.returncode != 0


@pytest.mark.slow
def test_the_original_loads_meet_what_is_expected(serve, tmp_path):
    server = serve("--fault", "payment-delay=400ms..620ms")
    done = example("original_loads.sh", BASE=base(server), LOAD_TIME="2S", HOME=str(tmp_path))
    output = assert_succeeds(done)
    assert output.count("as expected: ") == 3
    counted = int(re.search(r'"transactions":\s*(\d+)', output)[1])
    assert get(server, "/stamps/01012341234")["stampQty"] >= 2 * counted > 0


@pytest.mark.slow
def test_the_original_loads_say_when_too_few_succeed(serve, tmp_path):
    server = serve("--fault", "payment-fail=1")
    environment = {"BASE": base(server), "LOAD_TIME": "1S", "HOME": str(tmp_path)}
    done = example("original_loads.sh", "orders", **environment)
    assert done.returncode == 1
    assert "MISSED" in done.stdout


# ------------------------------------------------------------------------------ barista, breaker


def paid_order(server):
    """The id of an order whose drink is being prepared."""
    order = send(server, "POST", "/orders", COFFEE).json()["id"]
    send(server, "PATCH", f"/payments/{order}", {"paymentStatus": END})
    wait_until(lambda: get(server, f"/deliveries/{order}"), "a delivery")
    return order


def test_the_barista_delivers_what_is_not_cancelled(serve):
    server = serve()
    first, cancelled, last = (paid_order(server) for _ in range(3))
    send(server, "PATCH", f"/deliveries/{last}", {"deliveryStatus": "READY"})
    send(server, "DELETE", f"/orders/{cancelled}")

    def status(order):
        return get(server, f"/deliveries/{order}")["deliveryStatus"]

    wait_until(lambda: status(cancelled) == CANCEL, "the delivery follows the cancelled order")
    output = assert_succeeds(example("barista.py", "--base", base(server), "--once"))
    assert output.count("\n") == 5, output
    assert [status(order) for order in (first, cancelled, last)] == [END, CANCEL, END]


def test_the_barista_puts_aside_what_is_cancelled_meanwhile(serve, capsys):
    server = serve()
    order = paid_order(server)
    described = importlib.util.spec_from_file_location("barista", EXAMPLES / "barista.py")
    barista = importlib.util.module_from_spec(described)
    described.loader.exec_module(barista)
    shop = barista.Shop(base(server))
    seen = list(shop.deliveries("Prepare Delivery..."))
    send(server, "DELETE", f"/orders/{order}")
    wait_until(
        lambda: get(server, f"/deliveries/{order}")["deliveryStatus"] == CANCEL, "it is cancelled"
    )
    shop.deliveries = lambda status: seen if status == "Prepare Delivery..." else []
    assert barista.work_a_round(shop) == 1
    assert "put aside" in capsys.readouterr().out


def test_the_barista_says_where_no_server_is():
    done = example("barista.py", "--base", "http://127.0.0.1:1", "--once")
    assert done.returncode == 1
    assert done.stderr.startswith("barista: ")


@pytest.mark.slow
def test_the_breaker_opens_and_closes(tmp_path):
    environment = {"SKANU_BIN": str(BINARY), "FAIL_SECONDS": "3", "TMPDIR": str(tmp_path)}
    output = assert_succeeds(example("breaker.sh", **environment))
    states = re.search(r"The breaker: (.*)", output)[1].split(" > ")
    assert states[:2] == ["CLOSED", "OPEN"]
    assert states[-2:] == ["HALF_OPEN", "CLOSED"]
    assert list(tmp_path.iterdir()) == [], "it cleans up behind itself"


# ------------------------------------------------------------------------------------- README


def readme_commands(section):
    """(command, output) of each command in the section, in order."""
    text = (REPO / "README.md").read_text()
    text = re.search(rf"^## {section}\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


LOGS = {"order": "Order", "payment": "Pay|Paid", "delivery": "Deliver"}
"""How the names of each service's events begin."""


def log_of(line):
    """The service of a line with an event's type; None for other lines."""
    found = re.match('"eventType":"(.*)"', line)
    return found and next(log for log, begin in LOGS.items() if re.match(begin, found[1]))


def first_event(port):
    """The type of the event with which a new order's trace begins."""
    client = Client(port)
    order_id = client.post("/orders", COFFEE).expect(201).json()["id"]
    path = f"/orderTraces/{order_id}/events"
    wait_until(lambda: client.get(path).status == 200, "the trace")
    return client.get(path).embedded()[0]["eventType"]


def without_times(text):
    return TIMESTAMP.sub("TIME", text).strip()


def printed_by(script, folder):
    done = run("bash", "-c", script, cwd=folder, SKANU_BIN=str(BINARY))
    return without_times(assert_succeeds(done))


def assert_prints(script, output, folder, repeats, compared=lambda text: text):
    """Runs the script until the output matches: effects may come after the answer to a change, so
    only scripts that may be repeated run more than once."""
    end = time.monotonic() + DEADLINE_S
    expected, printed = without_times(output), printed_by(script, folder)
    while repeats and compared(printed) != compared(expected) and time.monotonic() < end:
        printed = printed_by(script, folder)
    assert compared(printed) == compared(expected), script


@pytest.fixture
def folder(tmp_path):
    """The folder in which a reader types the README's commands."""
    (tmp_path / "build").mkdir()
    os.symlink(BINARY, tmp_path / "build" / "skanu")
    os.symlink(REPO / "cluster", tmp_path / "cluster")
    return tmp_path


def test_the_readme_shows_what_really_happens(serve, folder):
    server = serve()
    commands = list(readme_commands("A walk-through"))
    assert len(commands) >= 8
    for command, output in commands:
        script = command.replace("localhost:8088", f"127.0.0.1:{server.port}")
        assert_prints(script, output, folder, repeats=not re.search(r" (--json|-X) ", command))


@pytest.mark.slow
def test_the_readmes_tour_of_a_cluster_shows_what_really_happens(folder):
    """Orders may be repeated, too: a refused order changes no data."""
    cluster = Cluster(folder / "cluster-data")

    def here(text):
        text = re.sub(r"\bcluster/up\b", f"cluster/up --http {cluster.http}", text)
        text = re.sub(r"localhost:8088\b", f"127.0.0.1:{cluster.http}", text)
        ports = r"(?<=127\.0\.0\.1:)808(\d)\b *"
        return re.sub(ports, lambda found: str(cluster.http - 8 + int(found[1])) + "  ", text)

    def compared(text):
        """Logs of services come in either order, each in its own; ports have more digits here."""
        lines = [re.sub(" +", " ", line).strip() for line in text.splitlines()]
        return [[line for line in lines if log_of(line) == log] for log in (*LOGS, None)]

    try:
        commands = list(readme_commands("A cluster"))
        assert len(commands) >= 12
        for command, output in commands:
            placed = "--json" in command and '"id":1,' in output
            repeats = not placed and "cluster/" not in command and " -X " not in command
            assert_prints(here(command), here(output), folder, repeats, compared)
            if "/events" in command:
                shown_first = output.splitlines()[0]
                begin_so = [first_event(cluster.http) in shown_first for _ in range(15)]
                assert begin_so.count(True) >= 5, f"hardly a trace begins with {shown_first}"
    finally:
        cluster.clean_up()
    assert_sound(cluster.folder)
