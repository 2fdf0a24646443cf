"""Dini test files: every tests/programs/*.dini, and every example, holds `test` blocks that state
their numbers once; each file is run by every engine. A first line `# matrix: --ties=first | --ties=second` repeats the
file under each of the options."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENGINES = (["--engine=interp"], ["--engine=jit", "-O0"], ["--engine=jit", "-O2"],
           ["--engine=library"])
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


def variants(text):
    match = re.match(r"# matrix: (.*)", text)
    return [choice.split() for choice in match[1].split("|")] if match else [[]]


def run_file(tally, options, path, arguments, environment=None):
    name = " ".join(["dini test", path.name, *arguments])
    command = [str(options.dini), "test", str(path), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    except subprocess.TimeoutExpired:
        tally.add(name, "no end after 300 s")
        return
    match = SUMMARY.search(done.stdout)
    failed = int(match[2]) if match else 1
    tally.passed += int(match[1]) if match else 0
    if failed or done.returncode:
        tally.failed += max(failed, 1) - 1
        tally.add(name, f"{done.stdout[-3000:]}{done.stderr[-3000:]}status {done.returncode}")


def run(tally, options):
    files = [*(ROOT / "tests/programs").glob("*.dini"), *(ROOT / "dsl-examples").glob("*/*.dini")]
    for path in sorted(files):
        if options.filter not in path.name:
            continue
        for variant in variants(path.read_text()):
            for engine in ENGINES:
                run_file(tally, options, path, [*engine, *variant])
