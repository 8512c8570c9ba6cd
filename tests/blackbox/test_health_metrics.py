"""The actuator: health, circuit breakers, metrics."""

import re

import pytest
from rest import COFFEE

SAMPLE = re.compile(
    r"""[a-zA-Z_:][a-zA-Z0-9_:]*
                        (\{([a-zA-Z_]\w*="(\\.|[^"\\\n])*",?)*\})?
                        [ ][-+]?(\d+(\.\d*)?([eE][-+]?\d+)?|\.\d+|Inf|NaN)([ ]-?\d+)?""",
    re.VERBOSE,
)
COMMENT = re.compile(
    r"# (HELP [a-zA-Z_:]\S* .*|TYPE [a-zA-Z_:]\S* (counter|gauge|histogram|summary|untyped))"
)


@pytest.mark.parametrize(
    "path", ["/actuator/health", "/actuator/health/liveness", "/actuator/health/readiness"]
)
def test_health_is_up_with_its_components(client, path):
    answer = client.get(path).expect(200)
    assert "json" in answer.header("Content-Type")
    health = answer.json()
    assert health["status"] == "UP"
    assert isinstance(health["components"], dict)
    for name, component in health["components"].items():
        assert component["status"] == "UP", (name, component)


def test_the_breaker_shows_its_state_and_figures(client):
    breakers = client.get("/actuator/circuitbreakers").expect(200).json()["circuitBreakers"]
    payment = breakers["payment"]
    assert payment["state"] in ("CLOSED", "OPEN", "HALF_OPEN")
    assert {
        "state",
        "failureRate",
        "slowCallRate",
        "bufferedCalls",
        "failedCalls",
        "notPermittedCalls",
    } <= set(payment)


def test_an_untroubled_breaker_is_closed_and_counts_its_calls(serve):
    client = serve().client()
    for _ in range(30):
        client.post("/orders", COFFEE).expect(201)
    payment = client.get("/actuator/circuitbreakers").json()["circuitBreakers"]["payment"]
    assert payment["state"] == "CLOSED"
    assert payment["bufferedCalls"] == 30
    assert payment["failedCalls"] == payment["notPermittedCalls"] == 0


def test_metrics_are_prometheus_text(client):
    client.post("/orders", COFFEE).expect(201)
    answer = client.get("/actuator/prometheus").expect(200)
    assert answer.header("Content-Type").startswith("text/plain")
    text = answer.body.decode()
    assert text.endswith("\n")
    lines = text.splitlines()
    samples = [line for line in lines if line and not line.startswith("#")]
    assert samples
    for line in lines:
        pattern = COMMENT if line.startswith("#") else SAMPLE
        assert not line or pattern.fullmatch(line), f"not in the format: {line!r}"
    names = [line.rsplit(" ", 1)[0] for line in samples]
    assert len(names) == len(set(names)), "a series stands twice"


def test_requests_move_the_metrics(client):
    def samples():
        lines = client.get("/actuator/prometheus").expect(200).body.decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))

    before = samples()
    for _ in range(5):
        client.post("/orders", COFFEE).expect(201)
    after = samples()
    grown = [name for name in after if float(after[name]) >= float(before.get(name, 0)) + 5]
    assert grown, "no series counts orders or requests"


def test_metrics_hold_no_phone_number(client, shop, phone):
    shop.add_stamps(phone, 1)
    client.get(f"/stamps/{phone}").expect(200)
    assert phone not in client.get("/actuator/prometheus").expect(200).body.decode()
