"""The process: the ready line, signals, what stands in its way, trust-network, logs."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest
from rest import COFFEE, DEADLINE_S, Shop, fresh_phone, raw_exchange, wait_until
from support import Server, assert_refused, assert_sound, clean_environment, skanu

# Everything that listens beyond loopback does so in a network namespace of its own.
OWN_NETWORK = (
    ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
)


# ----------------------------------------------------------------------------- ready line, signals


def test_the_ready_line_comes_once_it_can_serve_and_is_all_of_stdout(tmp_path):
    with Server(tmp_path / "data") as server:  # stop() asserts that nothing else ever came
        assert server.ready_line == f"skanu ready http://127.0.0.1:{server.port}\n"
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
            assert server.ready_line.startswith("skanu ready http://0.0.0.0:")


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
        assert server.ready_line.startswith(f"skanu ready http://{address}:")


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
