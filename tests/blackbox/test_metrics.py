"""Metrics in the form expected by Prometheus and the dashboard."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from rest import COFFEE, fresh_phone, wait_until
from support import skanu

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "cluster" / "deploy" / "grafana"
PROMTOOL = shutil.which("promtool") or ROOT / "build" / "tools" / "promtool"


def promtool(*words, text=None):
    if not os.access(PROMTOOL, os.X_OK):
        pytest.skip("no promtool: ./dev test fetches it")
    done = subprocess.run(
        [PROMTOOL, *words], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0 and not done.stderr.strip().startswith("error"), (
        done.stdout + done.stderr
    )
    return done


def metrics_of(client):
    return client.get("/actuator/prometheus").expect(200).body.decode()


def samples_of(client):
    lines = metrics_of(client).splitlines()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")
    }


def names_in(text):
    """The query names for the samples of each metric."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        parts = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        names |= {name + part for part in parts}
    return names


def test_promtool_finds_nothing_to_say_about_the_metrics(client, shop):
    order_id = shop.paid_order(fresh_phone())
    client.get(f"/orders/{order_id}").expect(200)
    client.get("/orders/x").expect(404)
    done = promtool("check", "metrics", text=metrics_of(client))
    assert done.stdout + done.stderr == ""


def test_every_metric_of_the_dashboard_is_one_that_the_program_shows(client):
    shown = names_in(metrics_of(client))
    dashboard = json.loads((GRAFANA / "skanu.json").read_text())
    asked = set()
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            asked |= set(re.findall(r"\b(?:skanu|process)_[a-z_]+", target["expr"]))
    assert asked <= shown, f"unknown: {asked - shown}"
    bare = {re.sub("_(bucket|sum|count)$", "", name) for name in asked}
    unseen = {re.sub("_(bucket|sum|count)$", "", name) for name in shown} - bare
    # The dashboard joins the two parts instead, and the join also holds between nodes.
    assert unseen == {"skanu_consumer_lag_events"}, f"on no panel: {unseen}"
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def alerts():
    (group,) = yaml.safe_load((GRAFANA / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def test_every_alert_fires_in_its_test_and_is_silent_before():
    promtool("check", "rules", str(GRAFANA / "alerts.yml"))
    promtool("test", "rules", str(GRAFANA / "alerts_test.yml"))
    tests = yaml.safe_load((GRAFANA / "alerts_test.yml").read_text())["tests"]
    fired = [case["alertname"] for one in tests for case in one["alert_rule_test"]
             if case["exp_alerts"]]
    assert sorted(fired) == sorted(alerts())


def test_every_alert_asks_for_what_the_program_shows_and_says_what_to_do(client):
    shown = names_in(metrics_of(client)) | {"skanu_certificate_ends_timestamp_seconds"}
    for name, rule in alerts().items():
        asked = set(re.findall(r"\b(?:skanu|process)_[a-z_]+", rule["expr"]))
        assert asked <= shown, name
        assert asked or rule["expr"].startswith("up{"), name
        assert rule["labels"]["severity"] in ("page", "ticket"), name
        assert set(rule["annotations"]) == {"summary", "action"}, name


def test_the_process_shows_itself_as_prometheus_libraries_do(client):
    before = samples_of(client)
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes",
                 "process_virtual_memory_bytes", "process_open_fds", "process_start_time_seconds"):
        assert before[name] > 0, name
    assert before["process_open_fds"] < before["process_max_fds"]
    others = [client.__class__(client.connection.port) for _ in range(20)]
    for other in others:
        other.get("/orders").expect(200)
    assert samples_of(client)["process_open_fds"] >= before["process_open_fds"] + 10
    for other in others:
        other.connection.close()


def test_the_build_is_named_in_the_metrics_and_by_actuator_info(client):
    info = client.get("/actuator/info").expect(200).json()
    said = skanu("--version").stdout
    version, commit = re.match(r"skanu (\S+) \(commit (\S+),", said).groups()
    assert info["build"] == {"name": "skanu", "version": version}
    assert info["git"] == {"commit": {"id": commit}}
    oldest, newest = re.search(r"protocol (\d+) to (\d+)", said).groups()
    assert info["protocol"] == {"oldest": int(oldest), "newest": int(newest)}
    label = f'version="{version}",commit="{commit}",protocol="{newest}"'
    assert samples_of(client)[f"skanu_build_info{{{label}}}"] == 1


def test_the_shops_figures_follow_its_orders(serve):
    client = serve().client()
    for _ in range(3):
        client.post("/orders", COFFEE).expect(201)
    client.delete("/orders/2").expect(204)
    wait_until(lambda: samples_of(client)[
        'skanu_entities{service="payment",status="CANCEL"}'] == 1, "payment follows")
    now = samples_of(client)
    assert now['skanu_entities{service="order",status="Order complete"}'] == 2
    assert now['skanu_entities{service="order",status="Order Cancelled"}'] == 1
    assert now['skanu_entities{service="payment",status="Not Pay"}'] == 2
    assert now['skanu_entities{service="delivery",status="READY"}'] == 0


def test_prometheus_is_told_of_the_six_nodes():
    config = yaml.safe_load((GRAFANA / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert job["metrics_path"] == "/actuator/prometheus"
    assert len(job["static_configs"][0]["targets"]) == 6
    promtool("check", "config", str(GRAFANA / "prometheus.yml"))


def test_requests_are_counted_by_route_method_and_class_of_status(client):
    client.get("/orders/9007199254740991").expect(404)
    client.get("/orders").expect(200)
    before = samples_of(client)
    client.get("/orders/9007199254740991").expect(404)
    after = samples_of(client)
    route = 'method="GET",route="/orders/{id}",status='
    for series in (
        f'skanu_http_requests_total{{{route}"404"}}',
        f'skanu_http_request_duration_seconds_count{{{route}"4xx"}}',
        f'skanu_http_request_duration_seconds_bucket{{{route}"4xx",le="+Inf"}}',
    ):
        assert after[series] == before[series] + 1, series


def test_commits_flushes_logs_and_the_breaker_are_measured(serve):
    client = serve().client()
    for _ in range(3):
        client.post("/orders", COFFEE).expect(201)

    def caught_up():
        now = samples_of(client)
        series = "skanu_consumer_lag_events{"
        lags = [value for name, value in now.items() if name.startswith(series)]
        return len(lags) == 9 and not any(lags) and now

    now = wait_until(caught_up, "every consumer")
    assert now['skanu_log_end_offset{log="order"}'] == 3
    assert now['skanu_consumer_offset{consumer="payment-follows-order",log="order"}'] == 3
    assert now['skanu_circuit_breaker_calls_total{breaker="payment",outcome="success"}'] == 3
    assert now['skanu_circuit_breaker_calls_total{breaker="payment",outcome="failure"}'] == 0
    assert now['skanu_circuit_breaker_state{breaker="payment",state="CLOSED"}'] == 1
    assert now['skanu_commands_waiting{service="order"}'] == 0
    assert now['skanu_live_entities{service="order"}'] == 3
    assert now['skanu_dead_letters_present{consumer="stamp-follows-payment",log="payment"}'] == 0
    flushes = now['skanu_journal_flush_duration_seconds_count{journal="lmdb"}']
    assert 0 < flushes == now['skanu_journal_batch_commits_count{journal="lmdb"}']
    assert now['skanu_journal_batch_commits_sum{journal="lmdb"}'] >= 6
    assert now["skanu_http_connections"] >= 1
    assert now["process_start_time_seconds"] > 1.7e9


def test_calls_that_payment_refuses_or_leaves_unanswered_are_told_apart(serve):
    client = serve("--fault", "payment-fail=1").client()
    client.post("/orders", COFFEE).expect(503)
    now = samples_of(client)
    assert now['skanu_circuit_breaker_calls_total{breaker="payment",outcome="failure"}'] >= 1
    assert now['skanu_circuit_breaker_calls_total{breaker="payment",outcome="timeout"}'] == 0
    client = serve("--fault", "payment-lose-reply=1", name="silent").client()
    client.post("/orders", COFFEE).expect(503)
    now = samples_of(client)
    assert now['skanu_circuit_breaker_calls_total{breaker="payment",outcome="timeout"}'] >= 1
