"""skanu join-stamps: accounts that an older form of the phone number made are joined."""

import json
import subprocess

from support import BINARY, Server, assert_refused, assert_sound, clean_environment, skanu

TODAY, WITH_CODE, DIALLED = "01012341234", "821012341234", "00821012341234"


def join(data, *arguments, status=0):
    done = skanu("join-stamps", "--data", data, *arguments)
    assert done.returncode == status, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def stamps(server, phone):
    return server.client().get(f"/stamps/{phone}").expect(200).json()["stampQty"]


def add(server, phone, quantity):
    body = {"phoneNumber": phone, "stampQty": quantity}
    assert server.client().post("/stamps", body).status in (200, 201)


def test_accounts_are_printed_first_and_joined_with_write(tmp_path):
    data = tmp_path / "data"
    with Server(data) as server:
        add(server, WITH_CODE, 3)
        add(server, TODAY, 1)
    planned = {"from": WITH_CODE, "into": TODAY, "stampQty": 3, "balance": 4, "joined": False}
    assert join(data) == [planned]
    assert join(data) == [planned], "nothing is changed without --write"
    assert join(data, "--write") == [{**planned, "joined": True}]
    assert join(data, "--write") == []
    assert_sound(data)
    with Server(data) as server:
        assert (stamps(server, WITH_CODE), stamps(server, TODAY)) == (0, 4)
        ledger = server.client().get(f"/stamps/{TODAY}/entries").expect(200).json()
        last = ledger["_embedded"]["entries"][-1]
        assert last["eventType"] == "StampsMovedIn"
        assert (last["stampQty"], last["otherPhoneNumber"]) == (3, WITH_CODE)
        add(server, TODAY, 1)
        assert stamps(server, TODAY) == 5
    assert_sound(data)


def test_two_named_accounts_are_joined(tmp_path):
    data = tmp_path / "data"
    with Server(data) as server:
        add(server, "01055551111", 3)
    joined = join(
        data, "--old-number", "01055551111", "--new-number", "+82 10-5555-2222", "--write"
    )
    assert joined == [
        {
            "from": "01055551111",
            "into": "01055552222",
            "stampQty": 3,
            "balance": 3,
            "joined": True,
        }
    ]
    assert_sound(data)


def test_another_country_joins_its_own_numbers(tmp_path):
    data = tmp_path / "data"
    with Server(data, "--country", "DE") as server:
        add(server, "493012345678", 2)
        add(server, WITH_CODE, 2)
    assert [j["into"] for j in join(data, "--country", "DE")] == ["03012345678"]


def test_a_joining_that_is_killed_moves_no_stamp_twice_and_loses_none(tmp_path):
    data, accounts = tmp_path / "data", 300
    with Server(data) as server:
        client = server.client()
        for n in range(accounts):
            body = {"phoneNumber": f"82105550{n:04d}", "stampQty": 2}
            client.post("/stamps", body).expect(201)
    for lines in (1, 40, 100):
        process = subprocess.Popen(
            [str(BINARY), "join-stamps", "--data", str(data), "--write"],
            env=clean_environment(None),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(lines):
            assert process.stdout.readline()
        process.kill()  # its child, which writes, ends with it
        process.wait()
        process.stdout.close()
        assert_sound(data)
    join(data, "--write")
    with Server(data) as server:
        for n in range(accounts):
            assert stamps(server, f"0105550{n:04d}") == 2
            assert stamps(server, f"82105550{n:04d}") == 0
    assert_sound(data)


def test_a_served_directory_is_left_alone(tmp_path):
    with Server(tmp_path / "data") as server:
        add(server, WITH_CODE, 3)
        assert_refused(skanu("join-stamps", "--data", server.data, "--write"))
        assert stamps(server, WITH_CODE) == 3


def test_a_directory_without_stamp_accounts_is_told(tmp_path):
    done = skanu("join-stamps", "--data", tmp_path / "none")
    assert_refused(done)
    assert "no stamp accounts" in done.stderr


def test_a_copy_that_no_server_has_used_is_not_joined(tmp_path):
    with Server(tmp_path / "data") as server:
        add(server, WITH_CODE, 3)
    assert skanu("backup", "--data", tmp_path / "data", "--to", tmp_path / "copy").returncode == 0
    done = skanu("join-stamps", "--data", tmp_path / "copy", "--write")
    assert_refused(done)
    assert "a copy that no server has used" in done.stderr
    assert len(join(tmp_path / "copy")) == 1, "looking is allowed"


def test_numbers_that_are_none_are_refused(tmp_path):
    for arguments in (
        ("--old-number", "010-1234", "--new-number", TODAY),
        ("--old-number", TODAY, "--new-number", "none"),
        ("--old-number", TODAY, "--new-number", TODAY),
        ("--old-number", TODAY),
        ("--new-number", TODAY),
        ("--country", "XX"),
    ):
        assert_refused(skanu("join-stamps", "--data", tmp_path, *arguments))
