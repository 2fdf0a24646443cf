#!/usr/bin/env python3
"""What of the style can be checked by counting: headers of at most 300 lines and sources of at most
500 (tables, .def and .inc files, are free), unless it says "Longer than usual:" and why; a header opens with a comment; nothing is left to do."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMITS = {".h": 300, ".cpp": 500, ".dini": 500, ".py": 500}
LEFT = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def violations():
    for top in ("compiler", "runtime", "tests"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix not in LIMITS or not path.is_file():
                continue
            text = path.read_text(errors="replace")
            where = path.relative_to(ROOT)
            lines = text.count("\n")
            if lines > LIMITS[path.suffix] and "Longer than usual:" not in text:
                yield f"{where}: {lines} lines, more than {LIMITS[path.suffix]}"
            if path.suffix == ".h" and not text.startswith(("//", "/*")):
                yield f"{where}: opens without saying what it is for"
            if path.name != pathlib.Path(__file__).name:
                for match in LEFT.finditer(text):
                    line = text.count("\n", 0, match.start()) + 1
                    yield f"{where}:{line}: {match[0]}"


if __name__ == "__main__":
    found = list(violations())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
