#!/usr/bin/env python3
"""results.py LIST: counts the tests of all suites that ran, and says so in one line.

LIST is a file with a line for each suite: its exit status, and the file of its results, JUnit XML
or TAP. A suite that failed without a failed test (a crash, or no test found) counts as one failure.
Exits with 1 where a test failed.
"""

import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path


def of_junit(text):
    """(tests, failures, skipped)"""
    totals = [0, 0, 0]
    for suite in xml.fromstring(text).iter("testsuite"):
        def number(*names, suite=suite):
            return sum(int(suite.get(name, 0)) for name in names)
        for i, names in enumerate((("tests",), ("failures", "errors"), ("skipped", "disabled"))):
            totals[i] += number(*names)
    return totals


def of_tap(text):
    def number(*names):
        return sum(int(n) for name in names for n in re.findall(rf"^# {name} (\d+)$", text, re.M))
    skipped, failed = number("skipped", "todo"), number("fail", "cancelled")
    return number("pass") + failed + skipped, failed, skipped


def of_suite(status, path):
    """(passed, failed, skipped)"""
    tests = failures = skipped = 0
    if path.is_file() and (text := path.read_text()):
        try:
            tests, failures, skipped = (of_tap if path.suffix == ".tap" else of_junit)(text)
        except xml.ParseError:  # a suite that was killed leaves half a file
            return 0, 1, 0
    passed = tests - failures - skipped
    return passed, failures or int(status != 0), skipped


def main():
    suites = [line.split(maxsplit=1) for line in Path(sys.argv[1]).read_text().splitlines()]
    counts = [of_suite(int(status), Path(path)) for status, path in suites]
    passed, failed, skipped = (sum(column) for column in zip(*counts)) if counts else (0, 1, 0)
    print(f"\n{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
