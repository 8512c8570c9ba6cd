"""The files for containers in cluster/: existing names, and working settings.

The tests neither build images nor deploy.
"""

import os
import re
import shutil
import socket
import subprocess
from contextlib import ExitStack

import pytest
from rest import DEADLINE_S, wait_until
from support import BINARY, REPO, Server, skanu

yaml = pytest.importorskip("yaml", reason="Debian's python3-yaml is not installed")

SERVICES = ("order", "payment", "delivery", "ordertrace", "stamp", "gateway")
CLUSTER = REPO / "cluster"
DEPLOY = CLUSTER / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
HAPROXY_CFG = DEPLOY / "haproxy.cfg"


def documents(name):
    """{(kind, name): document} of a file for Kubernetes."""
    found = yaml.safe_load_all((KUBERNETES / name).read_text())
    return {(one["kind"], one.get("metadata", {}).get("name")): one for one in found}


def stateful_set(service):
    return documents(f"{service}.yaml")["StatefulSet", service]


def pod(service):
    return stateful_set(service)["spec"]["template"]["spec"]


def container(service):
    (one,) = pod(service)["containers"]
    return one


def configuration():
    return documents("configmap.yaml")["ConfigMap", "skanu"]["data"]


def kustomization():
    (one,) = documents("kustomization.yaml").values()
    return one


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def compose_nodes():
    return {name: one for name, one in compose()["services"].items() if one["image"] == "skanu"}


@pytest.fixture(scope="module")
def known_variables():
    """The environment variables taken by `serve`."""
    return set(re.findall(r"\(Env:(SKANU_\w+)\)", skanu("serve", "--help").stdout))


def peers(text):
    return dict(part.split("=") for part in text.split())


# ---------------------------------------------------------------------------------- environment


def test_every_variable_is_one_that_the_program_takes(known_variables):
    named = set(configuration()) | {
        name for line in re.findall(r"^ENV .*", DOCKERFILE, re.MULTILINE)
        for name in re.findall(r"\bSKANU_\w+", line)}
    for service in SERVICES:
        named |= {variable["name"] for variable in container(service)["env"]}
    for node in compose_nodes().values():
        named |= set(node.get("environment", {}))
    assert len(named) > 8
    assert named <= known_variables


@pytest.mark.parametrize("where", ["kubernetes", "compose"])
def test_the_settings_make_a_cluster(where, tmp_path):
    """The nodes' own environment, with this machine's addresses: TLS and a secret at 0.0.0.0."""
    secrets = tmp_path / "secrets"
    names = ["stamp", "gateway-1"] if where == "compose" else ["stamp", "gateway"]
    certified = [one if one != "gateway" else "gateway+gateway-0+gateway-1" for one in names]
    made = subprocess.run([CLUSTER / "certs", secrets, *certified], timeout=6 * DEADLINE_S)
    assert made.returncode == 0
    (secrets / "secret").write_text("of this cluster alone\n")
    (secrets / "secret").chmod(0o600)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        node_port = probe.getsockname()[1]

    def environment(name):
        if where == "compose":
            settings = dict(compose_nodes()[name]["environment"])
        else:
            settings = dict(configuration())
            for variable in container(name)["env"]:
                settings[variable["name"]] = variable.get("value", f"{name}-0")
        for variable, value in settings.items():
            value = value.replace("/secrets/node", f"/secrets/{name}")
            value = value.replace("/secrets", str(secrets)).replace("stamp:9088", "stamp:NODE")
            settings[variable] = value.replace("stamp:NODE", f"127.0.0.1:{node_port}")
        settings["SKANU_HTTP"] = settings["SKANU_HTTP"].replace(":8088", ":0")
        own = node_port if name == "stamp" else 0
        settings["SKANU_NODE"] = settings["SKANU_NODE"].replace(":9088", f":{own}")
        return settings

    with ExitStack() as stack:
        stamp, gateway = (
            stack.enter_context(Server(tmp_path / name, env=environment(name), address=None))
            for name in names
        )
        wait_until(lambda: "address=0.0.0.0" in stamp.stderr(), "it listens for other machines")
        with gateway.client() as client:
            wait_until(lambda: health(client)["stamp"] == "UP", "the gateway finds stamp by TLS")
            wait_until(
                lambda: client.get("/stamps").expect(200, 503, 504).status == 200,
                "stamp answers through the gateway",
            )
            assert health(client)["order"] == "DOWN"


def health(client):
    components = client.get("/actuator/health").expect(200).json()["components"]
    return {name: component["status"] for name, component in components.items()}


# ----------------------------------------------------------------------------------- kubernetes


def test_kustomization_names_every_file():
    files = {file.name for file in KUBERNETES.iterdir() if file.suffix == ".yaml"}
    assert set(kustomization()["resources"]) == files - {"kustomization.yaml"}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_what_it_needs(service):
    one = container(service)
    values = {variable["name"]: variable.get("value") for variable in one["env"]}
    assert values["SKANU_SERVICES"] == service
    assert values["SKANU_NAME"] in (None, service)
    headless = documents(f"{service}.yaml")["Service", stateful_set(service)["spec"]["serviceName"]]
    assert headless["spec"]["clusterIP"] == "None"
    assert headless["spec"]["selector"] == {"app": service}
    assert set(one["resources"]["limits"]) == {"cpu", "memory"}
    assert pod(service)["securityContext"]["runAsNonRoot"]
    user = pod(service)["securityContext"]["runAsUser"]
    assert f"USER {user}:" in DOCKERFILE
    (secret,) = [v for v in pod(service)["volumes"] if v["name"] == "secrets"]
    generated = {g["name"]: g["files"] for g in kustomization()["secretGenerator"]}
    files = dict(file.split("=") for file in generated[secret["secret"]["secretName"]])
    assert files["node.pem"] == f"secrets/{service}.pem"
    assert files["node-key.pem"] == f"secrets/{service}-key.pem"
    mounts = {mount["name"]: mount["mountPath"] for mount in one["volumeMounts"]}
    for variable in ("SECRET_FILE", "TLS_CERT", "TLS_KEY", "TLS_CA"):
        path = configuration()[f"SKANU_{variable}"]
        assert path.removeprefix(mounts["secrets"] + "/") in files
    assert f"SKANU_DATA={mounts['data']} " in DOCKERFILE


def test_the_services_differ_in_nothing_but_their_name():
    texts = {(KUBERNETES / f"{s}.yaml").read_text().replace(s, "NAME") for s in SERVICES[:-1]}
    assert len(texts) == 1


def test_a_service_has_one_writer_and_a_volume():
    for service in SERVICES[:-1]:
        assert stateful_set(service)["spec"]["replicas"] == 1
        (claim,) = stateful_set(service)["spec"]["volumeClaimTemplates"]
        assert claim["metadata"]["name"] == "data"


def test_peers_are_services_at_their_nodes_port():
    nodes = [node for node in compose_nodes().values() if node != certs()]
    texts = [node["environment"]["SKANU_PEER"] for node in nodes]
    for text in (configuration()["SKANU_PEER"], *texts):
        assert peers(text) == {service: f"{service}:9088" for service in SERVICES[:-1]}
    for service in SERVICES:
        ports = {port["name"]: port["containerPort"] for port in container(service)["ports"]}
        assert ports == {"http": 8088, "node": 9088}


def seconds(text):
    return float(text.removesuffix("s"))


def drain():
    return seconds(re.search(r"SKANU_DRAIN=(\S+)", DOCKERFILE)[1])


def test_every_node_drains_longer_than_probes_and_checks_take_and_shorter_than_it_may():
    kubelet = container("gateway")["readinessProbe"]
    assert drain() > kubelet["periodSeconds"] * kubelet["failureThreshold"]
    interval, falls = re.search(r"check inter (\d+s) fall (\d+)", HAPROXY_CFG.read_text()).groups()
    assert drain() > seconds(interval) * int(falls)
    last_answers = 5
    for service in SERVICES:
        hook = container(service).get("lifecycle", {}).get("preStop")
        before = float(hook["exec"]["command"][1]) if hook else 0
        needed = before + drain() + last_answers
        assert pod(service)["terminationGracePeriodSeconds"] > needed
    for node in compose_nodes().values():
        if node != certs():
            assert seconds(node["stop_grace_period"]) > drain() + last_answers


def test_gateways_are_spread_scaled_and_taken_away_one_at_a_time():
    labels = stateful_set("gateway")["spec"]["template"]["metadata"]["labels"]
    spread = pod("gateway")["topologySpreadConstraints"]
    assert {one["topologyKey"] for one in spread} == {
        "kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    assert all(one["labelSelector"]["matchLabels"] == labels for one in spread)
    made = documents("gateway.yaml")
    budget = made["PodDisruptionBudget", "gateway"]["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": labels}}
    scaler = made["HorizontalPodAutoscaler", "gateway"]["spec"]
    assert scaler["scaleTargetRef"] == {
        "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "gateway"}
    assert "replicas" not in stateful_set("gateway")["spec"], "an apply would undo the scaler's"
    assert scaler["minReplicas"] >= 2
    assert "cpu" in container("gateway")["resources"]["requests"], "its load is measured by that"
    text = (KUBERNETES / "kustomization.yaml").read_text()
    named = set(re.findall(r"\+(gateway-\d+)", text))
    assert named == {f"gateway-{n}" for n in range(scaler["maxReplicas"])}


def policy(name):
    return documents("network.yaml")["NetworkPolicy", name]["spec"]


def test_the_network_lets_in_customers_nodes_and_prometheus_only():
    assert policy("nothing-else") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {name for _, name in documents("network.yaml")} == {
        "nothing-else", "customers", "nodes", "monitoring", "dialing"}
    assert policy("customers")["podSelector"]["matchLabels"] == {"app": "gateway"}
    (services,) = policy("nodes")["podSelector"]["matchExpressions"]
    assert set(services["values"]) == set(SERVICES) - {"gateway"}
    named = {port["name"] for service in SERVICES for port in container(service)["ports"]}
    for one in documents("network.yaml").values():
        for rule in one["spec"].get("ingress", []) + one["spec"].get("egress", []):
            assert all(port["port"] in named | {53} for port in rule["ports"])
    peers_at = policy("dialing")["egress"][0]
    assert peers_at == {"to": [{"podSelector": {}}], "ports": [{"port": "node"}]}


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
def test_kustomize_puts_the_whole_together(tmp_path):
    """Every named file, patch and secret exists, and each pod has its own secrets."""
    folder = tmp_path / "kubernetes"
    shutil.copytree(KUBERNETES, folder, ignore=shutil.ignore_patterns("secrets"))
    command = [CLUSTER / "certs", folder / "secrets", *SERVICES]
    assert subprocess.run(command, timeout=6 * DEADLINE_S).returncode == 0
    (folder / "secrets" / "secret").write_text("of this cluster\n")
    done = subprocess.run(
        ["kubectl", "kustomize", folder], capture_output=True, text=True, timeout=6 * DEADLINE_S
    )
    assert done.returncode == 0, done.stderr
    made = list(yaml.safe_load_all(done.stdout))
    assert {one["metadata"].get("namespace") for one in made if one["kind"] != "Namespace"} == {
        kustomization()["namespace"]
    }
    sets = {one["metadata"]["name"]: one for one in made if one["kind"] == "StatefulSet"}
    secrets = {one["metadata"]["name"] for one in made if one["kind"] == "Secret"}
    assert set(sets) == set(SERVICES)
    for service, one in sets.items():
        volumes = one["spec"]["template"]["spec"]["volumes"]
        (name,) = [v["secret"]["secretName"] for v in volumes if "secret" in v]
        assert name in secrets and name.startswith(f"{service}-secrets-")


def certs():
    return compose()["services"]["certs"]


def test_probes_ask_what_is_answered(client):
    asked = set()
    for service in SERVICES:
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked.add(container(service)[probe]["httpGet"]["path"])
    for node in compose_nodes().values():
        if node != certs():
            asked.add(re.search(r":8088(/\S+)", node["healthcheck"]["test"][-1])[1])
    asked.add(re.search(r"uri (\S+)", HAPROXY_CFG.read_text())[1])
    assert asked == {"/actuator/health/liveness", "/actuator/health/readiness"}
    for path in asked:
        client.get(path).expect(200)


# --------------------------------------------------------------------------- compose, Dockerfile


def test_compose_has_every_service_and_declares_its_volumes():
    nodes = compose_nodes()
    run = {n["environment"]["SKANU_SERVICES"] for n in nodes.values() if n != certs()}
    assert run == set(SERVICES)
    for name, node in nodes.items():
        for volume in node["volumes"]:
            assert volume.split(":")[0] in compose()["volumes"]
        if node == certs():
            continue
        assert f"{name}:/data" in node["volumes"]
        assert f" {name}" in certs()["command"][0], "it gets a certificate"
        assert node["environment"]["SKANU_TLS_KEY"] == f"/secrets/{name}-key.pem"
        assert node["environment"]["SKANU_NAME"] == name


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")
def test_debians_compose_accepts_the_file():
    done = subprocess.run(
        ["docker-compose", "-f", DEPLOY / "compose.yaml", "config"],
        capture_output=True,
        text=True,
        timeout=6 * DEADLINE_S,
        env={**os.environ, "COMPOSE_PROJECT_NAME": ""},
    )
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(compose()["services"])


def test_compose_has_no_key_that_one_of_its_versions_lacks():
    """1.29 refuses `name`, and the newer one warns of `version`."""
    assert not {"name", "version"} & set(compose())
    assert (DEPLOY / ".env").read_text() == "COMPOSE_PROJECT_NAME=skanu\n"


def test_compose_publishes_on_loopback_only():
    published = [port for one in compose()["services"].values() for port in one.get("ports", [])]
    assert published == ["127.0.0.1:8088:8088"]


def test_the_dockerfile_takes_debian_only_and_names_what_there_is():
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"debian:bookworm-slim"}
    stages = re.findall(r"^FROM \S+ AS (\w+)", DOCKERFILE, re.MULTILINE)
    assert stages[-1] == "skanu"
    targets = {one["build"]["target"] for one in compose()["services"].values()}
    assert targets <= set(stages)
    for source in re.findall(r"^COPY (\w[\w/.]*) ", DOCKERFILE, re.MULTILINE):
        assert (REPO / source).exists()


@pytest.mark.skipif(not shutil.which("dpkg"), reason="not a Debian machine")
def test_the_dockerfile_installs_the_programs_libraries():
    linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, timeout=DEADLINE_S)
    libraries = re.findall(r"(lib\S+\.so\S*) => /", linked.stdout)
    owners = subprocess.run(
        ["dpkg", "-S", *(f"*/{library}" for library in libraries)],
        capture_output=True,
        text=True,
        timeout=6 * DEADLINE_S,
    )
    # Sanitizers belong to test builds; other files of the same name are for another machine.
    other = r"lib32|libx32|lib64|^libc6|^libgcc-s1|^lib[a-z]*san\d|cross|-dev|-dbg|-i386"
    needed = {
        line.split(":")[0]
        for line in owners.stdout.splitlines()
        if not re.search(other, line) and "/x86_64-linux-gnu/" in line
    }
    assert needed, "it is linked to something"
    assert not {package for package in needed if f" {package} " not in DOCKERFILE}
