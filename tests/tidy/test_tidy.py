"""Keeps the sources as CONTRIBUTING.md describes them. Runs on the working tree."""

import json
import re
from pathlib import Path

import pytest

import prose
from sources import CODE, CPP, REPO, comment_blocks, files, folder_of, lines, tracked

LAYERS = ("messages", "persistence", "actors", "http", "cluster")
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_LINE = 500, 70, 100
MOST_POINTING = 0.03


def none(found):
    assert not found, "\n" + "\n".join(found)


def test_no_file_is_longer_than_500_lines():
    none([f"{path}: {len(lines(path))} lines" for path in files(*CODE)
          if len(lines(path)) > LONGEST_FILE])


def test_no_line_is_longer_than_100_columns():
    found = []
    for path in files(*CODE, ".md"):
        is_document, in_console = path.suffix == ".md", False
        for number, line in enumerate(lines(path), 1):
            if line.startswith("```"):
                in_console = line.startswith("```console")
            as_it_is = is_document and (line.startswith("|") or "](" in line or in_console)
            if len(line) > LONGEST_LINE and not as_it_is:
                found.append(f"{path}:{number}: {len(line)} columns")
    none(found)


BODY = re.compile(r".*\)( const| noexcept| override| final| mutable)*( -> .*)? \{$")
LAMBDA = re.compile(r"\[[^\]]*\]\s*(\(|\{)")
END = re.compile(r"[;{}:]$|//")
NO_FUNCTION = re.compile(r"\s*(\}|(if|for|while|switch|do|else|return|case)\b)")


def functions(path):
    """(first line's number, how many lines) of each function, as the formatter lays them out: the
    closing brace stands below the first letter of the head."""
    text = lines(path)
    for opened, line in enumerate(text):
        if not BODY.match(line):
            continue
        first = opened
        while first > 0 and text[first - 1].strip() and not END.search(text[first - 1]):
            first -= 1
        head = " ".join(text[first:opened + 1])
        if NO_FUNCTION.match(text[first]) or LAMBDA.search(head):
            continue
        closing = re.match(r" *", text[first]).group(0) + "}"
        for last in range(opened + 1, len(text)):
            if text[last].startswith(closing):
                yield first + 1, last - first + 1
                break


def test_no_function_is_longer_than_70_lines():
    none([f"{path}:{first}: {length} lines" for path in files(*CPP)
          for first, length in functions(path) if length > LONGEST_FUNCTION])


def test_comments_are_lines():
    """The other tests of comments read lines behind // alone."""
    none([f"{path}:{number}: {line.strip()}" for path in files(*CPP)
          for number, line in enumerate(lines(path), 1)
          if re.search(r"(^|\s)/\*", line) and "*/" not in line.split("/*", 1)[1]
          or re.match(r"\s*/\*", line)])


def test_no_comment_was_broken_by_the_formatter():
    """A reflowed list leaves a line of a word or two between two longer ones."""
    found = []
    for path in files(*CPP):
        for first, block in comment_blocks(path):
            for i in range(1, len(block) - 1):
                before, here, after = block[i - 1:i + 2]
                short = 0 < len(here.strip()) <= 20 and not re.search(r"[.:;!?)`]$", here.strip())
                if short and len(before) > 75 and after.strip() and re.match(r"\s+[a-z]", after):
                    found.append(f"{path}:{first + i}: {here.strip()}")
    none(found)


def test_comments_and_documents_name_files_that_are_there():
    names = {path.name for path in tracked()}
    paths = {str(path) for path in tracked()}
    made = {"data.mdb", "lock.mdb", "order.pem", "node.pem"}
    pattern = re.compile(r"(?<![\w/.*<-])((?:[\w-]+/)*[\w-]+\.(?:cpp|hpp|py|md|js|sh|yaml|cfg))\b")
    found = []
    scripts = (".py", ".js", ".sh", ".cmake", ".yaml")
    for path in files(*CPP, *scripts, ".md"):
        if path.suffix == ".md":
            texts = enumerate(lines(path), 1)
        elif path.suffix in scripts:
            texts = ((number, line) for number, line in enumerate(lines(path), 1)
                     if re.match(r"\s*(#|//|/?\*|\"\"\")", line))
        else:
            texts = ((first + i, text) for first, block in comment_blocks(path)
                     for i, text in enumerate(block))
        for number, text in texts:
            for name in pattern.findall(text):
                known = name in paths or ("/" not in name and name in names) or name in made
                inside = any(p.endswith("/" + name) for p in paths)
                if not known and not inside and "voucher" not in name:
                    found.append(f"{path}:{number}: {name}")
    none(found)


def test_every_source_file_is_built():
    built = set()
    for commands in REPO.glob("build/*/compile_commands.json"):
        built |= {entry["file"] for entry in json.loads(commands.read_text())}
    if not built:
        pytest.skip("nothing was configured yet")
    by_no_other_preset = {path for path in files(".cpp") if path.parts[:2] == ("tests", "fuzz")}
    none([str(path) for path in files(".cpp")
          if str(REPO / path) not in built and path not in by_no_other_preset])


def includes():
    """{folder: folders whose headers it includes}, of the five source folders."""
    found = {}
    for path in files(*CPP):
        if path.parts[0] not in LAYERS:
            continue
        here = found.setdefault(folder_of(path), set())
        for line in lines(path):
            included = re.match(r'#include "([^"]+)"', line)
            if included and folder_of(included.group(1)) != folder_of(path):
                here.add(folder_of(included.group(1)))
    return found


def folders_without_caf():
    declared = re.findall(r"skanu_folder\((\S+)( CAF)?", (REPO / "CMakeLists.txt").read_text())
    return {folder for folder, caf in declared if not caf}


def test_folders_without_caf_include_none_of_it():
    """Through no header of the repository, either."""
    direct = {str(path): re.findall(r'#include [<"]([^>"]+)', (REPO / path).read_text())
              for path in files(*CPP)}
    with_caf = {path for path, others in direct.items()
                if any(other.startswith("caf/") for other in others)}
    while more := {path for path, others in direct.items() if with_caf & set(others)} - with_caf:
        with_caf |= more
    free = folders_without_caf()
    assert {"messages", "persistence", "actors/rules"} <= free
    shared_with_caf = {"messages/interfaces.hpp"}  # only CAF's folders include this header
    none([path for path in with_caf if folder_of(path) in free and path not in shared_with_caf])


def test_the_changelog_begins_with_the_version():
    headings = [line for line in lines(Path("CHANGELOG.md")) if line.startswith("## ")]
    assert headings[0].startswith(f"## {lines(Path('VERSION'))[0]}")


def test_includes_go_one_way():
    def layer(folder):
        return LAYERS.index(folder.split("/")[0])

    none([f"{folder} includes {other}" for folder, others in includes().items()
          for other in others if layer(other) > layer(folder)])


def links():
    """{folder: folders that its target links, over others too}, as CMakeLists.txt says."""
    text = re.sub(r"#.*", "", (REPO / "CMakeLists.txt").read_text())
    called = re.findall(r"skanu_folder\(([\w/]+)([^()]*)\)", text)
    linked = {folder: {other for other, _ in called
                       if "skanu_" + other.replace("/", "_") in rest.split()}
              for folder, rest in called}

    def reached(folder):
        return {folder}.union(*(reached(other) for other in linked[folder]))

    return {folder: reached(folder) for folder in linked}


def test_every_folder_links_what_it_includes():
    linked = links()
    none([f"{folder} includes {other}, and does not link it"
          for folder, others in includes().items() if folder in linked
          for other in sorted(others - linked[folder])])


def test_no_folders_include_each_other_in_a_circle():
    graph, done = includes(), set()

    def visit(folder, way):
        assert folder not in way, " -> ".join([*way[way.index(folder):], folder])
        if folder in done:
            return
        for other in sorted(graph.get(folder, ())):
            visit(other, [*way, folder])
        done.add(folder)

    for folder in sorted(graph):
        visit(folder, [])


EVENT = re.compile(r'"event=(?:\\.|[^"\\])*"(?:\s*"(?:\\.|[^"\\])*")*')
HEAD_OF_A_LINE = {"time", "level", "node"}


def test_a_log_line_had_two_fields_of_one_name():
    found = []
    for path in files(*CPP):
        for event in EVENT.findall((REPO / path).read_text()):
            keys = re.findall(r'(?:^|[ "])(\w+)=', event.replace('\\"', ""))
            if len(set(keys)) < len(keys) or HEAD_OF_A_LINE & set(keys):
                found.append(f"{path}: {event}")
    none(found)


def test_no_sentence_of_a_comment_starts_with_what_who_or_of():
    found = []
    for path in files(*CPP):
        for first, block in comment_blocks(path):
            text = " ".join(part.strip() for part in block)
            found += [f"{path}:{first}: {start.strip()}" for start in
                      re.findall(r"(?:^|(?<=[.!?] ))((?:What|Who|Of) [^.]{0,40})", text)]
    none(found)


def test_comments_name_things_instead_of_pointing_at_them():
    assert prose.share() < MOST_POINTING, "see tests/tidy/prose.py"
