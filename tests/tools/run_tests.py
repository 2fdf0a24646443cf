#!/usr/bin/env python3
"""Runs every kind of test and prints "N passed, N failed" last.

  unit          build/bin/dini_unit, every doctest test case
  rules         the dependency rule, lengths of files, that every diagnostic has a page and a test
  programs      tests/programs/*.dini and the examples: their `test` blocks by the interpreter, the JIT at O0 and O2, and
                through the C interface of libraries
  levels        the runtime's unit tests and some programs with narrower instruction sets
  cli           tests/golden/cli/*.cli: transcripts of shell commands (see transcript.py)
  repl          the interactive session in a pseudo-terminal (see repl_terminal.py)
  training      checkpoints of scripts that are killed, and progress (see training.py)
  libraries     tests/libraries: C and C++ programs that call compiled libraries (see libraries.py)
  steps         the functions of tests/programs in steps around a tape, against one call (see steps.py)
  emitted       C++ and Dini source that `dini emit` writes, run and compared (see emitted.py)
  cpp           tests/cpp: C++ functions that are imported, and what is refused (see cpp_import.py)
  documents     the code blocks of README.md, docs/ and the examples' pages (see documents.py)

run_tests.py [--only PART]... [--update] [FILTER]: FILTER is a part of a file's name; --update
rewrites the transcripts that differ."""
import argparse
import os
import pathlib
import re
import subprocess
import sys

import check_coverage
import check_dependencies
import check_style
import cpp_import
import cpu_levels
import documents
import emitted
import libraries
import programs
import repl_terminal
import steps
import training
import transcript

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Tally:
    """Counts results and prints the failures as they come."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def add(self, name, problem):
        if problem:
            self.failed += 1
            print(f"FAILED {name}\n{problem.rstrip()}\n", flush=True)
        else:
            self.passed += 1


def run_unit(tally, options):
    binary = ROOT / "build/bin/dini_unit"
    command = [str(binary)]
    if options.filter:
        command.append(f"--test-case=*{options.filter}*")
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=ROOT,
                          timeout=1800)
    match = re.search(r"test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed", done.stdout)
    if not match:
        tally.add("unit", f"{done.stdout[-4000:]}{done.stderr[-2000:]}\ndini_unit ended with status "
                          f"{done.returncode} and no summary")
        return
    tally.passed += int(match[1])
    tally.failed += int(match[2])
    if int(match[2]) or done.returncode:
        print(done.stdout[-8000:])
    if done.returncode and not int(match[2]):
        tally.add("unit", f"status {done.returncode} although all cases passed")


def run_rules(tally, options):
    for name, check in (("dependency rule", check_dependencies.violations),
                        ("diagnostics have pages and tests", check_coverage.violations),
                        ("lengths and openings of files", check_style.violations)):
        if options.filter in name:
            tally.add(name, "\n".join(check()))


def main():
    parts = {"unit": run_unit, "rules": run_rules, "programs": programs.run,
             "levels": cpu_levels.run, "cli": transcript.run, "repl": repl_terminal.run, "training": training.run,
             "documents": documents.run, "libraries": libraries.run, "steps": steps.run, "emitted": emitted.run_all,
             "cpp": cpp_import.check}
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=parts)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("filter", nargs="?", default="")
    options = parser.parse_args()
    options.dini = ROOT / "build/bin/dini"
    os.environ["PATH"] = f"{options.dini.parent}:{os.environ['PATH']}"
    os.environ["DINI_CACHE"] = "off"  # what is tested is compiled by the compiler under test
    tally = Tally()
    for name in options.only or parts:
        before = (tally.passed, tally.failed)
        parts[name](tally, options)
        print(f"{name}: {tally.passed - before[0]} passed, {tally.failed - before[1]} failed",
              flush=True)
    print(f"{tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed or not tally.passed else 0)


if __name__ == "__main__":
    main()
