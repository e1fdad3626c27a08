#!/usr/bin/env python3
"""Reads the JUnit report of a test run, and what the doctests printed, and says what ran on which database engine.

A database test is one function per engine in a module named after it: `…::a_story::sqlite`, `…::postgres`,
`…::mariadb`. The run fails if any of them is missing, or if no such test ran at all.
"""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ENGINES = ("sqlite", "postgres", "mariadb")


@dataclass
class Count:
    passed: int = 0
    failed: int = 0

    @property
    def tests(self):
        return self.passed + self.failed

    def add(self, passed):
        if passed:
            self.passed += 1
        else:
            self.failed += 1


@dataclass
class Summary:
    engines: dict = field(default_factory=lambda: {engine: Count() for engine in ENGINES})
    other: Count = field(default_factory=Count)
    doctests: Count = field(default_factory=Count)
    groups: dict = field(default_factory=lambda: defaultdict(set))

    @property
    def total(self):
        counts = [*self.engines.values(), self.other, self.doctests]
        return Count(sum(count.passed for count in counts), sum(count.failed for count in counts))

    def complaints(self):
        """Why this run does not prove what it should, one sentence each."""
        for group, ran in sorted(self.groups.items()):
            missing = [engine for engine in ENGINES if engine not in ran]
            if missing:
                yield f"{group} did not run on {', '.join(missing)}"
        for engine, count in self.engines.items():
            if count.tests == 0:
                yield f"no test ran on {engine}"


def summarise(report):
    """Counts the test cases of a parsed JUnit report."""
    summary = Summary()
    for case in report.iter("testcase"):
        if case.find("skipped") is not None:
            continue
        passed = case.find("failure") is None and case.find("error") is None
        story, _, last = case.get("name", "").rpartition("::")
        if last in ENGINES:
            summary.engines[last].add(passed)
            summary.groups[f"{case.get('classname')} {story}"].add(last)
        else:
            summary.other.add(passed)
    return summary


def count_doctests(output):
    """Adds up the closing lines of `cargo test --doc`, one per crate."""
    lines = re.findall(r"^test result: .* (\d+) passed; (\d+) failed;", output, re.MULTILINE)
    return Count(sum(int(passed) for passed, _ in lines), sum(int(failed) for _, failed in lines))


def table(summary, versions):
    rows = [("engine", "version", "tests", "passed", "failed")]
    for engine, count in summary.engines.items():
        rows.append((engine, versions[engine], count.tests, count.passed, count.failed))
    for name, count in (("(none)", summary.other), ("(doctests)", summary.doctests)):
        rows.append((name, "", count.tests, count.passed, count.failed))
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        text = "  ".join(
            str(cell).ljust(width) if column < 2 else str(cell).rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        )
        yield text.rstrip()


def sqlite_version():
    """The version that is compiled in: libsqlite3-sys ships the source it builds."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]
    manifest = next(package["manifest_path"] for package in packages if package["name"] == "libsqlite3-sys")
    header = (Path(manifest).parent / "sqlite3" / "sqlite3.h").read_text()
    return re.search(r'#define SQLITE_VERSION\s+"([^"]+)"', header).group(1)


def main(report, doctests):
    summary = summarise(ElementTree.parse(report))
    summary.doctests = count_doctests(Path(doctests).read_text())
    versions = {
        "sqlite": sqlite_version(),
        "postgres": os.environ["DGT_TEST_POSTGRES_VERSION"],
        "mariadb": os.environ["DGT_TEST_MARIADB_VERSION"],
    }
    print("\n".join(table(summary, versions)))
    complaints = list(summary.complaints())
    for complaint in complaints:
        print(f"engine summary: {complaint}", file=sys.stderr)
    print(f"{summary.total.passed} passed, {summary.total.failed} failed", flush=True)
    return 1 if complaints or summary.total.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
