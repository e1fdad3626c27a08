"""How much to ask for, and what came of it; called by run.sh.

    judge.py size GATEWAY_URL WANTED     examples per operation, so that the sum is not below WANTED
    judge.py verdict FOLDER WANTED       reads a role's report; the last line ends in `N passed, M failed`
"""

import json
import re
import sys
import urllib.request
import xml.etree.ElementTree as ElementTree
from pathlib import Path

METHODS = {"get", "put", "post", "delete", "patch"}
SHORT = 3


def size(gateway: str, wanted: int) -> int:
    if wanted == 0:
        return SHORT
    with urllib.request.urlopen(f"{gateway}/api/openapi.json", timeout=10) as answer:
        paths = json.load(answer)["paths"]
    operations = sum(1 for methods in paths.values() for method in methods if method in METHODS)
    # Operations without parameters have few different requests; the others make up for them.
    return 2 * wanted // operations + 1


def verdict(folder: Path, wanted: int) -> str:
    role = folder.name
    report = (folder / "report.txt").read_text()
    generated = re.search(r"(\d+) generated", report)
    if generated is None or not (folder / "junit.xml").exists():
        return f"{report[-4000:]}\n{role}: schemathesis did not come to its end: 0 passed, 1 failed"
    counts = json.loads((folder / "counts.json").read_text())
    reached = sum(1 for statuses in counts.values() if any(status.startswith("2") for status in statuses))
    tests = list(ElementTree.parse(folder / "junit.xml").iter("testcase"))
    bad = [test for test in tests if test.find("failure") is not None or test.find("error") is not None]
    lines = [f"{role}: {test.get('name')}\n{child.get('message') or ''}{child.text or ''}" for test in bad for child in test]
    failed = len(bad)
    if int(generated[1]) < wanted:
        lines.append(f"{role}: {generated[1]} requests are fewer than {wanted}")
        failed += 1
    lines.append(
        f"fuzz: {role}: {generated[1]} requests to {len(tests)} operations, {reached} of which succeeded at least once: "
        f"{len(tests) - len(bad)} passed, {failed} failed")
    return "\n".join(lines)


if __name__ == "__main__":
    command, where, number = sys.argv[1:]
    print(size(where, int(number)) if command == "size" else verdict(Path(where), int(number)))
