"""Transcripts of shell commands: tests/golden/cli/*.cli.

A line `$ command` is run by the shell in the transcript's folder, with build/bin first in PATH and
$TMP a fresh folder that all commands of the file share; the lines after it are what it prints
(both streams, stderr first), and `[exit N]` ends them where the status is not 0. `...` stands for
any text within a line. Lines before the first command and `## ` lines are comments: what must be
visible here. run_tests.py --update rewrites what differs."""
import os
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse(text):
    """[(leading comment lines, command or None, expected lines)]"""
    blocks = [([], None, [])]
    for line in text.splitlines():
        if line.startswith("$ "):
            blocks.append(([], line[2:], []))
        elif line.startswith("## ") or blocks[-1][1] is None:
            if blocks[-1][1] is not None:
                blocks.append(([], None, []))
            blocks[-1][0].append(line)
        else:
            blocks[-1][2].append(line)
    return blocks


def matches(expected, actual):
    if len(expected) != len(actual):
        return False
    for want, got in zip(expected, actual):
        pattern = ".*".join(re.escape(part) for part in want.split("..."))
        if not re.fullmatch(pattern, got):
            return False
    return True


def execute(command, folder, scratch):
    env = dict(os.environ, TMP=scratch, TMPDIR=scratch, LC_ALL="C.UTF-8")
    try:
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, text=True,
                              errors="replace", capture_output=True, timeout=120,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return ["[no end after 120 s]"]
    lines = (done.stderr + done.stdout).replace(scratch, "$TMP").splitlines()
    while lines and not lines[-1]:
        lines.pop()
    return lines + ([f"[exit {done.returncode}]"] if done.returncode else [])


def trimmed(lines):
    lines = list(lines)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def run_file(path, update):
    problems, output = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for comment, command, expected in parse(path.read_text()):
            output += comment
            if command is None:
                output += expected
                continue
            actual = execute(command, path.parent, scratch)
            good = matches(trimmed(expected), actual)
            output += [f"$ {command}"] + (expected if good else actual)
            if not good:
                if update and expected and not expected[-1]:
                    output.append("")
                problems.append("\n".join([f"  $ {command}", "  expected:",
                                           *("    " + x for x in trimmed(expected)), "  got:",
                                           *("    " + x for x in actual)]))
    if update and problems:
        path.write_text("\n".join(output) + "\n")
        print(f"updated {path.relative_to(ROOT)}")
        return ""
    return "\n".join(problems)


def run(tally, options):
    for path in sorted((ROOT / "tests/golden/cli").glob("*.cli")):
        if options.filter in path.name:
            tally.add(str(path.relative_to(ROOT)), run_file(path, options.update))
