"""The files of the repository, and their comments, as the tidy tests read them."""

import re
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
CPP = (".cpp", ".hpp")
CODE = (*CPP, ".py", ".js", ".sh", ".css", ".cmake")
COMMENT = re.compile(r'//+<?[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|R"(\w*)\(.*?\)\1"', re.DOTALL)


def tracked():
    """The paths of all files that git knows or would add, relative to the repository; without git
    all files but what is built or installed."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
               "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
        names = [Path(name) for name in done.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        apart = {".git", "build", "data", "cluster-data", "node_modules", "__pycache__"}
        names = [path.relative_to(REPO) for path in REPO.rglob("*")
                 if not apart & set(path.relative_to(REPO).parts)]
    return sorted({name for name in names if (REPO / name).is_file()})


def files(*endings):
    return [path for path in tracked() if path.suffix in endings]


def lines(path):
    return (REPO / path).read_text().splitlines()


def comment_blocks(path):
    """[(first line's number, [text of each line])]: adjacent // lines of a C++ file are a block."""
    blocks, last = [], None
    for number, line in enumerate(lines(path), 1):
        found = re.match(r"\s*//[/]?<?(.*)", line)
        if found:
            if last != number - 1:
                blocks.append((number, []))
            blocks[-1][1].append(found.group(1))
            last = number
            continue
        parts = (m.group(0) for m in COMMENT.finditer(line))
        behind = next((part for part in parts if part.startswith("//")), None)
        if behind:
            blocks.append((number, [behind.lstrip("/").removeprefix("<")]))
    return blocks


def folder_of(include):
    """The folder of a path below the five source folders, "actors/rules" of one in it."""
    return str(Path(include).parent)
