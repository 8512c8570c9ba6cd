"""The container images, built by buildah as root, without Docker and its registry: the base is a
Debian root of our own under the name that the Dockerfile asks for.
"""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from debian_root import REPO, debian_archive, run

STORE = REPO / "build" / "images" / "buildah"
BUILDAH = ["buildah", "--root", STORE / "store", "--runroot", STORE / "run"]
DOCKERFILE = REPO / "cluster" / "deploy" / "Dockerfile"
CCACHE = Path(os.environ.get("CCACHE_DIR", Path.home() / ".cache" / "ccache"))


def buildah(*words, deadline_s=120):
    return run(*BUILDAH, *words, deadline_s=deadline_s).strip()


def build(target, *words):
    buildah("bud", "--isolation", "chroot", "--pull-never", "--file", DOCKERFILE, "--target",
            target, "--tag", f"test-{target}", *words, REPO, deadline_s=1500)


def skip_unless_it_runs(container):
    """Machines without the right to mount cannot run anything in a container."""
    tried = subprocess.run([*map(str, BUILDAH), "run", "--isolation", "chroot", container, "true"],
                           capture_output=True, text=True, timeout=120, check=False)
    if tried.returncode != 0:
        shutil.rmtree(STORE)
        pytest.skip(f"buildah cannot run a container here: {tried.stderr.strip()[-300:]}")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    if not shutil.which("buildah"):
        pytest.skip("buildah is not installed")
    archive = debian_archive(tmp_path_factory.mktemp("debootstrap"))
    STORE.mkdir(parents=True, exist_ok=True)
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, archive, "/")
    skip_unless_it_runs(container)
    buildah("commit", "--quiet", "--rm", container, "localhost/debian:bookworm-slim")
    yield
    shutil.rmtree(STORE)


@pytest.fixture(scope="module")
def container(base):
    CCACHE.mkdir(parents=True, exist_ok=True)
    build("skanu", "--volume", f"{CCACHE}:/root/.cache/ccache",
          "--build-arg", "COMMIT=0123456789ab")
    made = buildah("from", "--pull-never", "localhost/test-skanu")
    yield made
    buildah("rm", made)


def in_container(container, *words):
    return buildah("run", "--isolation", "chroot", container, "--", *words)


def test_the_image_has_the_program_alone_and_its_user(container):
    release = (REPO / "VERSION").read_text().strip()
    assert in_container(container, "skanu", "--version").startswith(
        f"skanu {release} (commit 0123456789ab, ")
    told = json.loads(buildah("inspect", "--type", "image", "localhost/test-skanu"))
    config = told["OCIv1"]["config"]
    assert config["User"] == "10001:10001"
    assert (config["Entrypoint"], config["Cmd"]) == (["skanu"], ["serve"])
    assert {"SKANU_DRAIN=5s", "SKANU_DATA=/data"} <= set(config["Env"])
    found = in_container(container, "sh", "-c", "command -v g++ cmake ccache || echo none")
    assert found == "none"


def test_the_image_serves_and_leaves_at_sigterm(container):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/actuator/health/readiness"
    script = f"""
      skanu serve --http 127.0.0.1:{port} --drain 1s 2>/tmp/log & server=$!
      until curl -sf {url}; do kill -0 $server || exit 9; done
      kill $server
      until [ "$(curl -s -o /dev/null -w '%{{http_code}}' {url})" = 503 ]; do :; done
      wait $server
      echo " status $?"
      grep -c event=stopped /tmp/log
    """
    said = in_container(container, "timeout", "60", "bash", "-c", script)
    assert said.endswith(" status 0\n1"), said
    assert '"status":"UP"' in said


def test_the_front_has_haproxy_with_our_configuration(base):
    build("front")
    made = buildah("from", "--pull-never", "localhost/test-front")
    in_container(made, "test", "-s", "/etc/haproxy/haproxy.cfg")
    assert "HAProxy" in in_container(made, "haproxy", "-v")
    buildah("rm", made)
