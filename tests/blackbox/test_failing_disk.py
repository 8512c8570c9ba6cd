"""A disk that fails the last step of LMDB's commits: the store recovers by itself, or reports its
failure."""

import os
import subprocess

import pytest
from rest import COFFEE, DEADLINE_S, wait_until
from support import Server, skanu

# A preloaded library must not come before the sanitizer's own.
pytestmark = pytest.mark.skipif(
    "asan" in os.environ.get("SKANU_BIN", ""), reason="the disk fails by a preloaded library"
)

# Replaces functions of the C library. A write of less than a page at a file's front is a write of
# an LMDB meta page. While the file FAIL_META exists, such writes fail; the content "once" limits
# the failure to one commit.
SHIM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(void) {
  char text[8] = "";
  const char* name = getenv("FAIL_META");
  FILE* file = name ? fopen(name, "r") : NULL;
  if (!file) return 0;
  if (!fgets(text, sizeof text, file)) text[0] = 0;
  fclose(file);
  if (strncmp(text, "once", 4) == 0) unlink(name);
  return 1;
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  if (at < 2 * 4096 && size < 4096 && size > 100 && fails()) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pwrite64, fd, bytes, size, at);
}
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", folder / "shim.so", folder / "shim.c"], check=True
    )
    return folder / "shim.so"


@pytest.fixture
def failing(tmp_path, shim):
    """A server, and the file that makes the server's disk fail."""
    switch = tmp_path / "fail"
    prefix = ["env", f"LD_PRELOAD={shim}", f"FAIL_META={switch}"]
    with Server(tmp_path / "data", prefix=prefix) as server:
        yield server, switch


def placed(client):
    return client.post("/orders", COFFEE)


def test_one_failed_meta_write_refused_everything_until_a_restart_by_hand(failing):
    server, switch = failing
    client = server.client()
    placed(client).expect(201)
    switch.write_text("once")
    answer = placed(client)
    assert answer.status in (201, 503), answer
    assert not switch.exists(), "the disk did not fail"
    if answer.status == 503:
        assert answer.json()["type"] == "/problems/store-failed"
    wait_until(lambda: placed(client).status == 201, "the store to be back")
    client.get("/orders/1").expect(200)
    client.get("/actuator/health/liveness").expect(200)
    server.stop()
    assert "event=store_closed" in server.stderr()
    assert "event=store_opened_again" in server.stderr()
    assert skanu("audit", "--data", server.data).returncode == 0


def test_a_store_that_stays_closed_was_said_to_be_up(failing):
    server, switch = failing
    client = server.client()
    placed(client).expect(201)
    switch.write_text("always")
    refused = placed(client)
    assert refused.status in (503, 504), refused
    for path in ("", "/liveness", "/readiness"):
        answer = client.get(f"/actuator/health{path}").expect(503)
        assert answer.json()["components"]["lmdb"]["details"]["reason"] == "closed"
    for _ in range(20):
        answer = placed(client).expect(503)
        assert answer.json()["type"] == "/problems/store-failed", "payment did not fail"
        client.get("/orders/1").expect(503)
    switch.unlink()
    wait_until(lambda: placed(client).status == 201, "the store to be back", DEADLINE_S)
    client.get("/actuator/health").expect(200)
    client.get("/actuator/health/liveness").expect(200)
    server.stop()
    assert skanu("audit", "--data", server.data).returncode == 0
