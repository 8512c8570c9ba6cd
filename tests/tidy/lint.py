#!/usr/bin/env python3
"""lint.py TAP: clang-tidy over every source file of the program, one test each; counts go into TAP.

Needs build/lint/compile_commands.json. Without arguments behind TAP all sources are read, else the
files named there.
"""

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

from sources import REPO, files

FOLDERS = {"messages", "persistence", "actors", "http", "cluster"}
LONGEST_S = 300


def problems_of(path):
    done = subprocess.run(["clang-tidy", "-p", "build/lint", "--quiet", path], cwd=REPO,
                          check=False, capture_output=True, text=True, timeout=LONGEST_S)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def main():
    chosen = [Path(name) for name in sys.argv[2:]]
    paths = chosen or [path for path in files(".cpp") if path.parts[0] in FOLDERS]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, problems in zip(paths, pool.map(problems_of, paths)):
            if problems:
                failed += 1
                print(f"{path} FAILED\n{problems}", flush=True)
    Path(sys.argv[1]).write_text(f"# pass {len(paths) - failed}\n# fail {failed}\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
