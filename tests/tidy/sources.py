"""The files of the repository, and their comments, as the tidy tests read them."""

import re
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
CPP = (".cpp", ".hpp")
CODE = (*CPP, ".py", ".js", ".sh", ".css", ".cmake")
COMMENT = re.compile(r'//+<?[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|R"(\w*)\(.*?\)\1"', re.DOTALL)


def tracked():
    """The paths of all files that git knows or would add, relative to the repository."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=REPO, capture_output=True, text=True, check=True).stdout
    return sorted({Path(name) for name in listed.split("\0") if name and (REPO / name).is_file()})


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
