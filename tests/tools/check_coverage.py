#!/usr/bin/env python3
"""Every diagnostic of compiler/diag/diagnostics.def has a page docs/errors/CODE.md and is named by
a test (a file under tests/ that holds its code or its enumerator, or a program of its page that must
be rejected with it, which documents.py runs)."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r'^DINI_DIAGNOSTIC\((\w+), "(\w+)"', re.M)
TEST_SUFFIXES = {".cpp", ".dini", ".cli", ".txt", ".test", ".golden"}


def violations():
    rows = ROW.findall((ROOT / "compiler/diag/diagnostics.def").read_text())
    tests = "\n".join(p.read_text(errors="replace") for p in (ROOT / "tests").rglob("*")
                      if p.is_file() and p.suffix in TEST_SUFFIXES)
    words = set(re.findall(r"\w+", tests))
    for page in (ROOT / "docs/errors").glob("*.md"):
        words.update(re.findall(r"^```(?:dini|cpp) (\w\d+)$", page.read_text(), re.M))
    for name, code in rows:
        if not (ROOT / "docs/errors" / f"{code}.md").is_file():
            yield f"{code} ({name}) has no page docs/errors/{code}.md"
        if code not in words and name not in words:
            yield f"{code} ({name}) is named by no test"


if __name__ == "__main__":
    found = list(violations())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
