"""A faked wall clock for a program under test."""

import os
from pathlib import Path

import pytest

# A preloaded library must not come before the sanitizer's own.
needs_a_faked_clock = pytest.mark.skipif(
    "asan" in os.environ.get("SKANU_BIN", ""), reason="the clock is faked by a preloaded library"
)


def clock_at(offset):
    """The environment with a wall clock shifted by the difference; timers are unaffected."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return {"LD_PRELOAD": library, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
