"""The examples' tests use the black-box suite's server and client."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blackbox"))


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than some seconds; runs by default")
