"""Long runs: a script that is killed at random moments and goes on from its checkpoint ends as the one that
was not, to the last bit; progress is drawn on a terminal and leaves standard output alone."""
import os
import pathlib
import pty
import random
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests/programs/training.dini"
SEED = 20261123
RUNS = 2
LONGEST = 1.0  # seconds until a kill; compiling takes a third of it
MOST_KILLS = 400


def whole(dini, *arguments):
    done = subprocess.run([dini, "run", SCRIPT, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def killed(dini, folder, rng, longest):
    """What a run printed that was killed at random until it reached its end, and how often it was."""
    command = [dini, "run", SCRIPT, f"--resume={folder}/kept", "--checkpoint-interval=0"]
    printed = []
    for kills in range(MOST_KILLS):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = process.communicate(timeout=rng.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.kill()
            printed += process.communicate()[0].split("\n")[:-1]
            continue
        assert process.returncode == 0, err
        return printed + out.splitlines(), kills
    raise AssertionError(f"no end after {MOST_KILLS} kills after at most {longest} s")


def check_kills(dini, expected):
    rng = random.Random(SEED)
    total = 0
    for run in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            printed, kills = killed(dini, folder, rng, LONGEST)
            total += kills
            # Lines may come twice, when the process ended between a line and the next checkpoint.
            assert printed[-1] == expected[-1], f"seed {SEED}, run {run}: {printed[-1]} for {expected[-1]}"
            assert not set(printed) - set(expected), f"seed {SEED}, run {run}: {set(printed) - set(expected)}"
            assert not os.listdir(folder), f"left behind: {os.listdir(folder)}"
    assert total > 0, "no process was killed before its end"


def check_terminal(dini, expected):
    """Standard error is a terminal: lines with the place, the rate and the residual, drawn over one another."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([dini, "run", SCRIPT, "--progress"], stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    drawn = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        drawn += data
    out = process.communicate()[0].splitlines()
    os.close(ours)
    assert process.returncode == 0 and out == expected, out
    text = drawn.decode()
    assert re.search(r"\r\x1b\[K[^\r]*training\.dini:\d+: \d+ of 260, [^ ]+ a second, \d+:\d\d left, residual \d", text), text
    assert text.endswith("\r\x1b[K"), text[-80:]


def run(tally, options):
    if options.filter and options.filter not in "training":
        return
    dini = str(options.dini)
    try:
        expected = whole(dini)
        checks = {
            "the same with --progress": lambda: assert_same(whole(dini, "--progress"), expected),
            "kills at random moments": lambda: check_kills(dini, expected),
            "progress on a terminal": lambda: check_terminal(dini, expected),
        }
    except AssertionError as problem:
        tally.add("training", str(problem))
        return
    for name, check in checks.items():
        problem = ""
        try:
            check()
        except AssertionError as failed:
            problem = str(failed) or "an assertion failed"
        tally.add(f"training: {name}", problem)


def assert_same(got, expected):
    assert got == expected, f"{got}\nfor\n{expected}"
