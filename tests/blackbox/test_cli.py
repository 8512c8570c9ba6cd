"""The command line: options, exit statuses, the ready line, signals, logs."""

import ast
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest
from rest import COFFEE, DEADLINE_S, Shop, fresh_phone, raw_exchange, wait_until
from support import BINARY, Server, assert_sound, clean_environment, skanu

# Everything that listens beyond loopback does so in a network namespace of its own.
OWN_NETWORK = (
    ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
)


def assert_refused(done):
    """Exit status 2, one clear line on standard error, nothing on standard output."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and 10 < len(lines[0]) < 250, done.stderr


def write_config_file(path, **options):
    """Options of serve in the configuration file's form, in one place."""
    path.write_text(
        "[serve]\n" + "".join(f'{name} = "{value}"\n' for name, value in options.items())
    )
    return path


# --------------------------------------------------------------------------------------- options


@pytest.mark.parametrize("command", [[], ["serve"], ["audit"], ["events"], ["backup"], ["admin"]])
def test_help_is_given(command):
    done = skanu(*command, "--help")
    assert done.returncode == 0, done.stderr
    assert "skanu" in done.stdout


def test_help_explains_each_option_of_serve_with_its_default():
    text = skanu("serve", "--help").stdout
    for word in (
        "--http",
        "--data",
        "--log-file",
        "--services",
        "--fault",
        "--cors",
        "--trust-network",
        "127.0.0.1:8088",
        "data",
    ):
        assert word in text, word


def test_help_names_every_command():
    text = skanu("--help").stdout
    for command in ("serve", "audit", "events", "backup", "admin"):
        assert command in text


BAD_OPTIONS = [
    ["--nonsense"],
    ["nonsense"],
    ["serve", "--nonsense"],
    ["serve", "--http"],
    ["serve", "--http", "x"],
    ["serve", "--http", "127.0.0.1"],
    ["serve", "--http", "127.0.0.1:65536"],
    ["serve", "--http", "127.0.0.1:x"],
    ["serve", "--http", "127.0.0.1:-1"],
    ["serve", "--fault", "nonsense=1"],
    ["serve", "--fault", "payment-fail"],
    ["serve", "--fault", "payment-fail=2"],
    ["serve", "--fault", "payment-fail=x"],
    ["serve", "--fault", "payment-fail=1@x"],
    ["serve", "--fault", "payment-delay=1"],
    ["serve", "--fault", "crash-at=nowhere:1"],
    ["serve", "--services", "coffee"],
    ["serve", "--services", ""],
    ["serve", "--cors", ""],
    ["serve", "--cors", "http://a,,http://b"],
    ["serve", "--cors", "*,http://a"],
    ["serve", "--cors", "evil"],
    ["serve", "--cors", "null"],
    ["serve", "--cors", "http://"],
    ["serve", "--cors", "ftp://x"],
    ["serve", "--cors", "https://a.example/"],
    ["serve", "--cors", "https://a.example/there"],
    ["serve", "--cors", "https://me@a.example"],
    ["serve", "--cors", "https://a.example:"],
    ["serve", "--cors", "https://a.example:65536"],
    ["serve", "--cors", "https://*.example"],
    ["serve", "--cors", "https://a.example,b.example"],
    ["serve", "--cors", "https://" + "a" * 100_000],
    ["serve", "--http", "127.nosuch.invalid:1"],
    ["serve", "--http", "localhost.invalid:1"],
    ["serve", "--max-store-bytes", "-1"],
    ["serve", "--max-store-bytes", "x"],
    ["serve", "extra"],
    ["audit", "--fault", "payment-fail=1"],
    ["events", "--fault", "payment-fail=1"],
    ["backup", "--fault", "payment-fail=1"],
    ["events", "--from", "x"],
    ["events", "--from", "0"],
    ["events", "--from", "9" * 30],
    ["events", "--service", "coffee"],
    ["audit", "--nonsense"],
    ["backup"],
]


@pytest.mark.parametrize("arguments", BAD_OPTIONS, ids=lambda words: " ".join(words)[:80])
def test_a_bad_option_gives_2_and_one_line(tmp_path, arguments):
    assert_refused(skanu(*arguments, cwd=tmp_path))
    assert list(tmp_path.iterdir()) == [], "it left something behind"


def test_options_come_from_environment_variables(tmp_path):
    log = tmp_path / "log"
    env = {
        "SKANU_HTTP": "127.0.0.1:0",
        "SKANU_LOG_FILE": str(log),
        "SKANU_CORS": "https://cafe.example",
    }
    with Server(tmp_path / "data", address=None, env=env) as server:
        answer = server.client().get("/orders", {"Origin": "https://evil.example"}).expect(200)
        assert answer.header("Access-Control-Allow-Origin") not in ("*", "https://evil.example")
    assert log.stat().st_size > 0 and server.stderr() == ""


def test_the_data_directory_comes_from_the_environment_too(tmp_path):
    Server(tmp_path / "data").start().stop()
    done = skanu("audit", env={"SKANU_DATA": str(tmp_path / "data")}, cwd=tmp_path)
    assert done.returncode == 0, done


def test_options_come_from_a_configuration_file(tmp_path):
    config = write_config_file(
        tmp_path / "skanu.conf", http="127.0.0.1:0", cors="https://cafe.example"
    )
    with Server(tmp_path / "data", config=config, address=None) as server:
        answer = server.client().get("/orders", {"Origin": "https://cafe.example"}).expect(200)
        assert answer.header("Access-Control-Allow-Origin") == "https://cafe.example"


def test_the_command_line_wins_over_the_environment_and_the_file(tmp_path):
    config = write_config_file(tmp_path / "skanu.conf", cors="https://file.example")
    with Server(
        tmp_path / "data",
        "--cors",
        "https://line.example",
        config=config,
        env={"SKANU_CORS": "https://environment.example"},
    ) as server:
        answer = server.client().get("/orders", {"Origin": "https://line.example"}).expect(200)
        assert answer.header("Access-Control-Allow-Origin") == "https://line.example"


def test_a_bad_configuration_file_gives_2_and_one_line(tmp_path):
    assert_refused(skanu("--config", tmp_path / "missing", "serve", "--data", tmp_path / "data"))
    config = write_config_file(tmp_path / "skanu.conf", nonsense="1")
    assert_refused(skanu("--config", config, "serve", "--data", tmp_path / "data"))


OPTION_IN_HELP = re.compile(r"^  (?:-\w,)?--([a-z-]+)(.*)$", re.M)
VALUES = {
    "http": "127.0.0.1:1", "admin": "127.0.0.1:2", "data": "/there", "services": "order",
    "name": "one", "node": "127.0.0.1:3", "peer": "stamp=127.0.0.1:4", "secret-file": "/secret",
    "tls-cert": "/cert", "tls-key": "/key", "tls-ca": "/ca", "node-without-tls": True,
    "trust-network": True, "cors": "https://cafe.example", "allowed-host": "shop.example",
    "max-store-bytes": "5", "max-connections": "6", "max-connections-per-address": "7",
    "max-streams": "8", "stream-heartbeat": "9", "log-file": "/log", "log-level": "debug",
    "fault": "payment-fail=1", "service": "stamp", "from": "10", "follow": True, "to": "/copy",
    "restored": True, "deep": True,
}  # fmt: skip
"""A value for every option of every command, other than its default; True is a flag's."""


def options_in_help(command):
    return dict(OPTION_IN_HELP.findall(skanu(command, "--help").stdout))


def understood(*words, env=None):
    """The options of a command as it understood them, by --print-config."""
    done = skanu("--print-config", *words, env=env)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()[1:]
    return {name: ast.literal_eval(value) for name, value in (line.split(" = ", 1) for line in lines)}


@pytest.mark.parametrize("command", ["serve", "audit", "events", "backup", "admin"])
def test_every_option_is_set_by_flag_environment_and_file(tmp_path, command):
    words = [command, "explain", "1"] if command == "admin" else [command]
    required = ["--to", "/elsewhere"] if command == "backup" else []
    options = options_in_help(command)
    del options["help"]
    assert len(options) > (10 if command == "serve" else 0)
    defaults = understood(*words, *required)
    assert set(defaults) == set(options)
    for name, rest in options.items():
        value = VALUES[name]
        expected = ["true"] if value is True else [value]
        assert defaults[name] != expected, f"{name} is so by default"
        variable = re.search(r"Env:(SKANU_[A-Z_]+)", rest)[1]
        assert variable == "SKANU_" + name.upper().replace("-", "_")
        others = [] if name == "to" else required
        flag = [f"--{name}"] if value is True else [f"--{name}", value]
        place = [words[0], *flag, *words[1:]]
        assert understood(*place, *others)[name] == expected, name
        text = "true" if value is True else value
        assert understood(*words, *others, env={variable: text})[name] == expected, name
        config = tmp_path / "skanu.conf"
        config.write_text(f"[{command}]\n{name} = {text if value is True else repr(text)}\n")
        assert understood("--config", config, *words, *others)[name] == expected, name
        by_name = understood(*words, *others, env={"SKANU_CONFIG": str(config)})
        assert by_name[name] == expected, f"{name} by SKANU_CONFIG"


def test_skanu_config_was_ignored(tmp_path):
    config = write_config_file(tmp_path / "skanu.conf", cors="https://cafe.example")
    env = {"SKANU_CONFIG": str(config)}
    with Server(tmp_path / "data", env=env) as server:
        answer = server.client().get("/orders", {"Origin": "https://cafe.example"}).expect(200)
        assert answer.header("Access-Control-Allow-Origin") == "https://cafe.example"
    other = write_config_file(tmp_path / "other.conf", cors="https://other.example")
    told = understood("--config", other, "serve", env=env)
    assert told["cors"] == ["https://other.example"], "the command line's file wins"
    for missing in (tmp_path / "missing", tmp_path):
        done = skanu("serve", "--data", tmp_path / "data", env={"SKANU_CONFIG": str(missing)})
        assert_refused(done)
        assert str(missing) in done.stderr
    assert understood("serve", env={"SKANU_CONFIG": ""})["cors"] == ["own"]


@pytest.mark.parametrize("command", ["serve", "audit", "events"])
@pytest.mark.parametrize(
    "text, key",
    [
        ("[serve]\nhtpt = 'x'\n", "serve.htpt"),
        ("[audit]\nnonsense = 1\n", "audit.nonsense"),
        ("[admin]\ncors = '*'\n", "admin.cors"),
        ("nonsense = 1\n", "nonsense"),
        ("[nonsense]\nhttp = 'x'\n", "nonsense"),
        ("[serve.more]\nhttp = 'x'\n", "serve.more"),
    ],
)
def test_an_unknown_key_of_the_file_is_named(tmp_path, command, text, key):
    config = tmp_path / "skanu.conf"
    config.write_text(text)
    done = skanu("--config", config, command, "--data", tmp_path / "data")
    assert_refused(done)
    assert key in done.stderr


def test_a_file_for_serve_made_audit_serve(tmp_path):
    Server(tmp_path / "data").start().stop()
    config = write_config_file(tmp_path / "skanu.conf", http="127.0.0.1:0", data="/nowhere")
    done = skanu("--config", config, "audit", "--data", tmp_path / "data")
    assert done.returncode == 0 and '"sound": true' in done.stdout


def test_the_environment_won_over_the_data_of_the_command_line(tmp_path):
    Server(tmp_path / "data").start().stop()
    data = ["--data", tmp_path / "data"]
    config = tmp_path / "skanu.conf"
    config.write_text("".join(f"[{name}]\ndata = '/file'\n" for name in ("audit", "events", "backup")))
    env = {"SKANU_DATA": "/environment", "SKANU_CONFIG": str(config)}
    for words in (["audit"], ["events"], ["backup", "--to", tmp_path / "copy"]):
        done = skanu(*words, *data, env=env)
        assert done.returncode == 0, done


def test_a_bad_environment_variable_gives_2_and_one_line(tmp_path):
    assert_refused(skanu("serve", "--data", tmp_path / "data", env={"SKANU_HTTP": "x"}))


def test_the_defaults_are_port_8088_on_loopback_and_data_here(tmp_path):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8088))
        except OSError:
            pytest.skip("port 8088 is taken on this machine")

    class Default(Server):
        def command(self):
            return ["env", "--chdir", str(tmp_path), str(BINARY), "serve"]

    with Default(tmp_path / "data") as server:
        assert server.ready_line == "skanu ready http=127.0.0.1:8088\n"
        server.client().get("/orders").expect(200)
    assert (tmp_path / "data" / "lmdb").is_dir()


# ----------------------------------------------------------------------------- ready line, signals


def test_the_ready_line_comes_once_it_can_serve_and_is_all_of_stdout(tmp_path):
    with Server(tmp_path / "data") as server:  # stop() asserts that nothing else ever came
        assert server.ready_line == f"skanu ready http=127.0.0.1:{server.port}\n"
        server.client().post("/orders", COFFEE).expect(201)
        server.client().get("/nowhere").expect(404)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_with_0(tmp_path, number):
    Server(tmp_path / "data").start().stop(number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_lets_it_finish_what_it_accepted_and_accept_no_more(tmp_path, number):
    server = Server(tmp_path / "data", "--fault", "payment-delay=500ms..500ms").start()
    under_way, answers = threading.Event(), []

    def place(client):
        answers.append(client.post("/orders", COFFEE, {"Idempotency-Key": "once"}))
        if answers[-1].status == 409:  # the other one is running
            under_way.set()

    senders = [threading.Thread(target=place, args=(server.client(),)) for _ in range(2)]
    for sender in senders:
        sender.start()
    assert under_way.wait(DEADLINE_S)
    server.send_signal(number)
    wait_until(lambda: not accepts(server.port), "no new connection is taken")
    for sender in senders:
        sender.join()
    assert [answer.status for answer in answers] == [409, 201]
    server.wait_stopped()
    assert_sound(server.data)
    server.restart().client().get(answers[1].header("Location")).expect(200)
    server.stop()


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S).close()
        return True
    except OSError:
        return False


def test_it_did_not_end_while_nobody_read_its_log(tmp_path):
    log = tmp_path / "log"
    os.mkfifo(log)
    unread = os.open(log, os.O_RDWR | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(unread, b"x" * 4096)
    to_log = ["sh", "-c", 'exec "$@" 2>"$0"', str(log)]
    with Server(tmp_path / "data", prefix=to_log) as server:
        server.client().get("/nowhere").expect(404)
    os.close(unread)


def test_an_idle_connection_does_not_hold_up_the_end(tmp_path):
    with Server(tmp_path / "data") as server:
        client = server.client()
        client.get("/orders").expect(200)
        server.stop()


# --------------------------------------------------------------------------- what stands in its way


def test_a_port_in_use_gives_2_and_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(skanu("serve", "--http", f"127.0.0.1:{port}", "--data", tmp_path / "data"))
    assert not (tmp_path / "data").exists(), "it left a data directory behind"


def test_a_data_directory_held_by_another_server_gives_2_and_one_line(tmp_path):
    with Server(tmp_path / "data") as server:
        assert_refused(skanu("serve", "--http", "127.0.0.1:0", "--data", server.data))
        server.client().post("/orders", COFFEE).expect(201)
    server.restart().stop()


def test_a_killed_server_does_not_hold_its_data_directory(tmp_path):
    Server(tmp_path / "data").start().kill().restart().stop()


def make_file(path):
    path.write_text("not a directory")


def make_foreign_lmdb(path):
    (path / "lmdb").mkdir(parents=True)
    (path / "lmdb" / "data.mdb").write_bytes(b"not a database " * 1000)


def make_foreign_sqlite(path):
    Server(path).start().stop()
    (path / "delivery.sqlite3").write_bytes(b"not a database " * 1000)


@pytest.mark.parametrize("make", [make_file, make_foreign_lmdb, make_foreign_sqlite])
def test_a_data_directory_that_cannot_be_opened_gives_2_one_line_and_stays_as_it_was(
    tmp_path, make
):
    data = tmp_path / "data"
    make(data)
    content = {
        path: path.read_bytes()
        for path in [data, *data.rglob("*")]
        if path.is_file() and b"not a" in path.read_bytes()[:100]
    }
    assert content
    assert_refused(skanu("serve", "--http", "127.0.0.1:0", "--data", data))
    assert {path: path.read_bytes() for path in content} == content


@pytest.mark.parametrize("data", ["/proc/skanu-data", "/dev/null/data"])
def test_a_data_directory_that_cannot_be_made_gives_2_and_one_line(data):
    assert_refused(skanu("serve", "--http", "127.0.0.1:0", "--data", data))


# ------------------------------------------------------------------------------------ trust-network


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_an_address_beyond_loopback_needs_trust_network(tmp_path, address):
    if skanu_in_own_network(["true"]).returncode != 0:
        pytest.skip("may not make a network namespace")
    refused = Server(tmp_path / "data", address=address, prefix=OWN_NETWORK)
    assert_refused(skanu_in_own_network(refused.command()))
    if address.startswith("0"):
        with Server(
            tmp_path / "data", "--trust-network", address=address, prefix=OWN_NETWORK
        ) as server:
            assert server.ready_line.startswith("skanu ready http=0.0.0.0:")


@pytest.mark.skipif(shutil.which("nsenter") is None, reason="needs nsenter")
def test_beyond_loopback_admin_is_not_there_whatever_host_is_asked_for(tmp_path):
    if skanu_in_own_network(["true"]).returncode != 0:
        pytest.skip("may not make a network namespace")
    with Server(
        tmp_path / "data", "--trust-network", address="0.0.0.0:0", prefix=OWN_NETWORK
    ) as server:
        inside = ["nsenter", "--target", str(server.process.pid), "--net"]
        if os.geteuid() != 0:
            inside += ["--user", "--preserve-credentials"]
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)

        def status_of(path):
            words = [*inside, sys.executable, "-c", STATUS_OF, str(server.port), path]
            return int(subprocess.check_output(words, timeout=2 * DEADLINE_S))

        assert status_of("/orders") == 200
        assert status_of("/admin/deadLetters") == 401


STATUS_OF = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
connection.request("GET", sys.argv[2])
print(connection.getresponse().status)
"""


def skanu_in_own_network(command):
    command = command if command[0] == "unshare" else [*OWN_NETWORK, *command]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=2 * DEADLINE_S, env=clean_environment()
    )


@pytest.mark.parametrize("address", ["127.0.0.2", "LocalHost"])
def test_another_loopback_address_needs_no_trust(tmp_path, address):
    with Server(tmp_path / "data", address=f"{address}:0") as server:
        assert server.ready_line.startswith(f"skanu ready http={address}:")


@pytest.mark.parametrize(
    "origin", ["https://cafe.example", "http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost"]
)
def test_an_origin_is_taken_as_browsers_send_it(tmp_path, origin):
    with Server(tmp_path / "data", "--cors", origin) as server:
        answer = server.client().get("/orders", {"Origin": origin}).expect(200)
        assert answer.header("Access-Control-Allow-Origin") == origin


def test_blanks_between_origins_hid_those_behind_them(tmp_path):
    with Server(tmp_path / "data", "--cors", "http://a, http://b") as server:
        for origin in ("http://a", "http://b"):
            answer = server.client().get("/orders", {"Origin": origin}).expect(200)
            assert answer.header("Access-Control-Allow-Origin") == origin


# --------------------------------------------------------------------------------------------- logs


def use_phones(server):
    """Every way in which a phone number comes in; returns the numbers as they were written."""
    shop, phones = Shop(server.client()), [fresh_phone() for _ in range(6)]
    dashed = f"{phones[4][:3]}-{phones[4][3:7]}-{phones[4][7:]}"
    shop.add_stamps(phones[0], 1)
    shop.client.get(f"/stamps/{phones[0]}/entries").expect(200)
    shop.client.get(f"/stamps/{phones[1]}").expect(404)
    shop.client.get("/orders", phoneNumber=phones[1])
    shop.cancel_order(shop.paid_order(phones[2]))
    shop.pay(shop.place(phoneNumber=phones[3]))
    shop.add_stamps(dashed, 1)
    shop.client.get(f"/stamps/{dashed}").expect(200)
    shop.client.post("/stamps", {"phoneNumber": phones[5], "stampQty": -1}).expect(422)
    shop.client.post("/stamps", f'{{"phoneNumber": "{phones[5]}"').expect(400)
    shop.client.delete(f"/stamps/{phones[5]}").expect(405)
    shop.client.get(f"/orders/{phones[5]}").expect(404)
    shop.client.delete(f"/payments/{dashed}").expect(404)
    raw_exchange(
        server.port,
        f"GET /stamps/{phones[5]} HTTP/1.1\r\nIdempotency-Key: {phones[5]}\r\n\r\n".encode(),
    )
    for phone in (phones[2], phones[3]):
        wait_until(
            lambda: shop.client.get(f"/stamps/{phone}").status == 200, "the policies have run"
        )
    return [*phones, dashed]


def test_logs_go_to_standard_error_without_a_whole_phone_number(tmp_path):
    with Server(tmp_path / "data") as server:
        phones = use_phones(server)
    log = server.stderr()
    assert "/stamps" in log, "requests are logged"
    assert [phone for phone in phones if phone in log] == []


def test_a_path_passed_for_fields_of_its_log_line(tmp_path):
    with Server(tmp_path / "data") as server:
        server.client().get("/orders/1%20status=200%22%C3%A9").expect(404)
    (line,) = [line for line in server.stderr().splitlines() if "/orders/" in line]
    assert r'path="/orders/1 status=200\"\xc3\xa9" status=404' in line


def test_log_file_takes_the_log_from_standard_error(tmp_path):
    log = tmp_path / "skanu.log"
    with Server(tmp_path / "data", "--log-file", log) as server:
        phones = use_phones(server)
    assert server.stderr() == ""
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    assert "/stamps" in text
    assert [phone for phone in phones if phone in text] == []


def test_a_log_file_that_cannot_be_written_gives_2_and_one_line(tmp_path):
    assert_refused(
        skanu(
            "serve",
            "--http",
            "127.0.0.1:0",
            "--data",
            tmp_path / "data",
            "--log-file",
            tmp_path / "missing" / "log",
        )
    )
