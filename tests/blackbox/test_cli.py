"""Options: from the command line, from environment variables, from a configuration file."""

import ast
import re
import socket

import pytest
from support import BINARY, REPO, Server, assert_refused, skanu


def write_config_file(path, **options):
    """Options of serve in the configuration file's form, in one place."""
    path.write_text(
        "[serve]\n" + "".join(f'{name} = "{value}"\n' for name, value in options.items())
    )
    return path


COMMANDS = ("serve", "audit", "events", "backup", "rebuild", "join-stamps", "admin")


def test_all_commands_are_known_here():
    listed = skanu("--help").stdout.split("Subcommands:\n")[1]
    assert re.findall(r"^  ([a-z-]+)", listed, re.M) == list(COMMANDS)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
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


def test_the_version_names_the_release_the_commit_the_protocols_and_the_formats():
    said = skanu("--version")
    assert said.returncode == 0
    release = (REPO / "VERSION").read_text().strip()
    assert re.fullmatch(
        rf"skanu {re.escape(release)} \(commit [\w-]+, protocol \d+ to \d+, "
        r'data format "skanu \d+", reads "skanu \d+" too\)\n', said.stdout)


def test_help_names_every_command():
    text = skanu("--help").stdout
    for command in COMMANDS:
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
    ["serve", "--drain", "5"],
    ["serve", "--drain", "-1s"],
    ["serve", "--drain", "soon"],
    ["serve", "--drain", "2d"],
    ["serve", "--log-format", "xml"],
    ["serve", "--max-store-bytes", "-1"],
    ["serve", "--max-store-bytes", "x"],
    ["serve", "extra"],
    ["audit", "--fault", "payment-fail=1"],
    ["events", "--fault", "payment-fail=1"],
    ["backup", "--fault", "payment-fail=1"],
    ["rebuild", "--fault", "payment-fail=1"],
    ["rebuild", "--nonsense"],
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


def said(*arguments, env=None, cwd=None):
    """The one line about a mistake."""
    done = skanu(*arguments, env=env, cwd=cwd)
    assert_refused(done)
    return done.stderr


def test_a_wrong_name_is_named_with_the_nearest_right_one():
    assert "--htpp of skanu serve; did you mean --http?" in said("serve", "--htpp", "127.0.0.1:0")
    assert "--htpp" in said("serve", "--htpp=127.0.0.1:0")
    assert "no command serv; did you mean serve?" in said("serv")
    unknown = said("nonsense")
    for command in COMMANDS:
        assert command in unknown
    assert "no such service: kichen" in said("serve", "--services", "kichen")


def test_a_wrong_entry_is_named_with_its_file(tmp_path):
    config = tmp_path / "skanu.conf"
    for text, words in [("[serve]\nhtpt = 'x'\n", "serve.http?"),
                        ("[serv]\nhttp = 'x'\n", "serve?"), ("[serve]\nhttp = 'x'\n", "--http"),
                        ("[serve]\nmax-streams = 'x'\n", "--max-streams")]:
        config.write_text(text)
        for how in (["--config", config], [f"--config={config}"]):
            line = said(*how, "serve", "--data", tmp_path / "data")
            assert words in line and str(config) in line, line
        line = said("serve", "--data", tmp_path / "data", env={"SKANU_CONFIG": str(config)})
        assert words in line and str(config) in line, line


def test_a_wrong_variable_is_named(tmp_path):
    wrong = {"SKANU_HTTP": "x", "SKANU_MAX_STREAMS": "x", "SKANU_SERVICES": "kichen"}
    for name, value in wrong.items():
        assert name in said("serve", "--data", tmp_path / "data", env={name: value})
    line = said("serve", "--http", "x", env={"SKANU_HTTP": "127.0.0.1:0"})
    assert "SKANU_HTTP" not in line, line


WRONG_VARIABLES = {"SKANU_DRIAN": "SKANU_DRAIN", "SKANU_DTAA": "SKANU_DATA",
                   "SKANU_MAX_STREAM": "SKANU_MAX_STREAMS", "SKANU_PORT": None}
OTHERS_VARIABLES = {"SKANU_BIN": "x", "SKANU_GATEWAY_SERVICE_HOST": "10.0.0.1",
                    "SKANU_GATEWAY_PORT": "tcp://10.0.0.1:80",
                    "SKANU_GATEWAY_SERVICE_PORT_HTTP": "80"}


def test_a_variable_that_no_option_has_was_passed_over_by_serve(tmp_path):
    env = {**dict.fromkeys(WRONG_VARIABLES, "5"), **OTHERS_VARIABLES}
    with Server(tmp_path / "data", env=env) as server:
        warnings = [line for line in server.stderr().splitlines() if "unknown_variable" in line]
    for name, right in WRONG_VARIABLES.items():
        [line] = [line for line in warnings if f" {name}" in line]
        assert (f"did you mean {right}?" in line) if right else ("did you mean" not in line), line
    assert len(warnings) == len(WRONG_VARIABLES)


def test_a_variable_that_no_option_has_was_passed_over_by_the_other_commands(tmp_path):
    Server(tmp_path / "data").start().stop()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = {"SKANU_DATTA": "/srv", **OTHERS_VARIABLES}
    words = "skanu: no option has the variable SKANU_DATTA; did you mean SKANU_DATA?\n"
    done = skanu("audit", "--data", tmp_path / "data", env=env)
    assert (done.returncode, done.stderr) == (0, words)
    assert skanu("--print-config", "serve", env=env).stderr == words
    for refused in (["audit"], ["backup"], ["serve", "--http", "x"], ["nonsense"]):
        done = skanu(*refused, env=env, cwd=elsewhere)
        assert done.returncode == 2 and words in done.stderr, done
        assert len(done.stderr.splitlines()) == 2


def test_a_wrong_value_for_another_command_stopped_this_one(tmp_path):
    Server(tmp_path / "data").start().stop()
    config = tmp_path / "skanu.conf"
    config.write_text("[events]\nfrom = 'x'\n[admin]\nhttp = 'x'\n[serve]\nmax-streams = 'x'\n"
                      "[join-stamps]\ncountry = 'x'\n")
    wrong = {"SKANU_FROM": "x", "SKANU_FOLLOW": "foo", "SKANU_DEEP": "maybe",
             "SKANU_OLD_NUMBER": "x", "SKANU_MAX_STREAMS": "x", "SKANU_COUNTRY": "x"}
    here = ["--config", config, "audit", "--data", tmp_path / "data"]
    done = skanu(*here, env={**wrong, "SKANU_DEEP": "true"})
    assert (done.returncode, done.stderr) == (0, "")
    config.write_text("[events]\nfrom = 'x'\n[audit]\ndeep = 'maybe'\n")
    of_serve = {"SKANU_MAX_STREAMS": "5", "SKANU_COUNTRY": "KR"}
    with Server(tmp_path / "data", env={**wrong, **of_serve}, config=config) as server:
        assert "unknown_variable" not in server.stderr()
    for name in ("SKANU_MAX_STREAMS", "SKANU_COUNTRY"):
        assert name in said("serve", "--data", tmp_path / "data", env={name: "x"}), "its own"


def test_an_option_before_its_command_was_called_unknown(tmp_path):
    for words in (["--data", "x", "serve"], ["--data=x", "serve"]):
        assert "--data stands behind serve" in said(*words)
    assert "--http stands behind its command: serve or admin" in said("--http", "1")
    assert "only of skanu serve or admin" in said("audit", "--http", "x")
    config = tmp_path / "skanu.conf"
    for text in ("http = 'x'\n", "[audit]\nhttp = 'x'\n"):
        config.write_text(text)
        line = said("--config", config, "serve")
        assert "http stands under [serve] or [admin]" in line and str(config) in line, line


def test_an_option_with_one_dash_printed_the_help_and_served_nothing(tmp_path):
    for words in (["serve", "-http", "127.0.0.1:0"], ["serve", "-http=127.0.0.1:0"],
                  ["serve", "-data", "x"], ["-version"], ["audit", "-hdata", "x"]):
        line = said(*words, cwd=tmp_path)
        flag = next(word for word in words if word.startswith("-")).split("=")[0]
        assert f"there is no option {flag}" in line, line
    assert "did you mean --http?" in said("serve", "-http", "127.0.0.1:0")


def test_a_command_within_admin_was_not_suggested():
    every = "dead-letters, replay, discard or explain"
    assert f"skanu admin takes a command: {every}" in said("admin")
    wrong = said("admin", "expl", "4")
    assert "did you mean explain?" in wrong and every.replace(" or ", " and ") in wrong
    assert "skanu admin explain takes no 5" in said("admin", "explain", "4", "5")


def test_help_about_what_is_not_there_was_help_about_all():
    for words in (["help", "servr"], ["servr", "--help"]):
        assert "no command servr; did you mean serve?" in said(*words)
    assert "did you mean explain?" in said("help", "admin", "expl")
    assert "serve takes no extra" in said("help", "serve", "extra")


def test_a_country_in_small_letters_was_unknown(tmp_path):
    with Server(tmp_path / "data", "--country", "kr"):
        pass
    for command in ("serve", "join-stamps"):
        line = said(command, "--country", "xx", "--data", tmp_path / "data")
        assert "--country" in line and " KR" in line and " DE" in line, line


def test_the_packages_configuration_left_out_a_command():
    text = (REPO / "cluster" / "deploy" / "debian" / "skanu.toml").read_text()
    sections = dict(re.findall(r'^\[([a-z-]+)\]\ndata = "(.*)"$', text, re.M))
    assert sections == dict.fromkeys(COMMANDS, "/var/lib/skanu")


def test_help_and_version_are_found_by_guessing():
    assert skanu("help").stdout == skanu("--help").stdout
    explained = skanu("admin", "explain", "--help").stdout
    assert skanu("help", "admin", "explain").stdout == explained and "ORDER" in explained
    assert skanu("help", "serve").stdout == skanu("serve", "--help").stdout
    assert skanu("-v").stdout == skanu("--version").stdout
    alone = skanu()
    assert (alone.returncode, alone.stdout) == (2, "") and "serve" in alone.stderr


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
    "max-streams": "8", "stream-heartbeat": "9", "country": "DE", "log-file": "/log",
    "log-level": "debug", "log-format": "json", "drain": "5s",
    "fault": "payment-fail=1", "service": "stamp", "from": "10", "follow": True, "to": "/copy",
    "restored": True, "deep": True, "public-url": "https://shop.example",
    "trusted-proxy": "10.0.0.7", "old-number": "821012341234", "new-number": "01012341234",
    "write": True,
}  # fmt: skip
"""A value for every option of every command, other than its default; True is a flag's."""


def options_in_help(command):
    return dict(OPTION_IN_HELP.findall(skanu(command, "--help").stdout))


def understood(*words, env=None):
    """The options of a command as it understood them, by --print-config."""
    done = skanu("--print-config", *words, env=env)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()[1:]
    pairs = (line.split(" = ", 1) for line in lines)
    return {name: ast.literal_eval(value) for name, value in pairs}


@pytest.mark.parametrize("command", COMMANDS)
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


@pytest.mark.parametrize("command", COMMANDS)
def test_what_print_config_said_was_no_configuration(tmp_path, command):
    words = {"admin": ["admin", "explain", "1"],
             "backup": ["backup", "--to", "/elsewhere"]}.get(command, [command])
    printed = skanu("--print-config", *words).stdout
    (tmp_path / "skanu.conf").write_text(printed)
    again = skanu("--config", tmp_path / "skanu.conf", "--print-config", *words)
    assert (again.returncode, again.stdout) == (0, printed), again.stderr


def test_the_example_of_a_configuration_left_out_options(tmp_path):
    text = (REPO / "examples" / "skanu.toml").read_text()
    entries = dict(re.findall(r"^# ([a-z-]+) = (\"[^\"]*\"|\[\]|[a-z0-9]+)", text, re.M))
    options = {*options_in_help("serve")} - {"help", "restored"}
    assert set(entries) == options
    config = tmp_path / "skanu.toml"
    config.write_text(re.sub(r"^# (?=[a-z-]+ = )", "", text, flags=re.M))
    assert understood("--config", config, "serve") == understood("serve"), "not the defaults"


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
    commands = ("audit", "events", "backup")
    config.write_text("".join(f"[{name}]\ndata = '/file'\n" for name in commands))
    env = {"SKANU_DATA": "/environment", "SKANU_CONFIG": str(config)}
    for words in (["audit"], ["events"], ["backup", "--to", tmp_path / "copy"]):
        done = skanu(*words, *data, env=env)
        assert done.returncode == 0, done


def test_a_bad_environment_variable_gives_2_and_one_line(tmp_path):
    assert_refused(skanu("serve", "--data", tmp_path / "data", env={"SKANU_HTTP": "x"}))


@pytest.mark.parametrize("origin", ["https://cafe.example", "http://127.0.0.1:8080",
                                    "http://[::1]:8080", "http://localhost"])
def test_an_origin_is_taken_as_browsers_send_it(tmp_path, origin):
    with Server(tmp_path / "data", "--cors", origin) as server:
        answer = server.client().get("/orders", {"Origin": origin}).expect(200)
        assert answer.header("Access-Control-Allow-Origin") == origin


def test_blanks_between_origins_hid_those_behind_them(tmp_path):
    with Server(tmp_path / "data", "--cors", "http://a, http://b") as server:
        for origin in ("http://a", "http://b"):
            answer = server.client().get("/orders", {"Origin": origin}).expect(200)
            assert answer.header("Access-Control-Allow-Origin") == origin


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
        assert server.ready_line == "skanu ready http://127.0.0.1:8088\n"
        server.client().get("/orders").expect(200)
    assert (tmp_path / "data" / "lmdb").is_dir()
