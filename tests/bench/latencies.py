#!/usr/bin/env python3
"""How long a person waits: latencies.py DINI. Whole processes by the wall clock, medians; the lines of
a REPL session in a terminal from the return key to the next prompt. Compiled code is kept on disk only
where that is said."""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))
from repl_terminal import Terminal  # noqa: E402

TEN_LINES = """\
# A damped oscillation: when does it first fall below a level, and how does that depend on it?
fn height(t: real, damping: real) -> real = exp(-damping*t)*cos(t)
fn crossing(level: real, damping: real) -> real =
  solve t: real = 0.5 { height(t, damping) == level }
fn cost(p: real[2]) -> real = {
  let t = crossing(p[0], p[1])
  t^2 + 0.1*norm(p)^2
}
fn slope(p: real[2]) -> real[2] = grad(cost)(p)
fn curvature(p: real[2]) -> real[2, 2] = hess(cost)(p)
"""
REPL_LINES = [
    "1 + 2",
    "let a = [1.0, 2.0, 3.0]",
    "sum(a[i]^2 for i in 0..3)",
    "fn f(x: real) -> real = tanh(x) + x",
    "f(0.5)",
    "grad(f)(0.5)",
    "fn z(x: real) -> real = solve z: real { f(z) == x }",
    "z(0.5)",
    "grad(z)(0.5)",
    "grad(grad(z))(0.5)",
    "hess(fn(v: real[3]) = norm(v)^4)(a)",
]


def show(what, seconds):
    seconds = sorted(seconds)
    print(f"  {what:<58}{1e3 * statistics.median(seconds):>9.1f} ms"
          f"   {1e3 * seconds[0]:.1f}..{1e3 * seconds[-1]:.1f}  ({len(seconds)} times)", flush=True)


def process(what, command, times, cache="off"):
    """The time of a command; False where it fails, which is said. With a folder for compiled code the
    first run, which fills it, does not count."""
    taken = []
    env = dict(os.environ, DINI_CACHE=cache)
    if cache != "off":
        subprocess.run(command, cwd=ROOT, env=env, capture_output=True)
    for _ in range(times):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
        taken.append(time.perf_counter() - start)
        if done.returncode != 0:
            print(f"  {what}: exit code {done.returncode}\n{done.stderr}", file=sys.stderr)
            return False
    show(what, taken)
    return True


def shell(dini):
    good = True
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "ten.dini"
        path.write_text(TEN_LINES)
        good &= process("dini eval '1 + 1'", [dini, "eval", "1 + 1"], 21)
        for expression in ["crossing(0.3, 0.2)", "slope([0.3, 0.2])", "curvature([0.3, 0.2])"]:
            good &= process(f"dini eval, ten lines, {expression}",
                            [dini, "eval", "-f", str(path), expression], 21)
            compiled = [dini, "eval", "--engine=jit", "-f", str(path), expression]
            good &= process("the same compiled (--engine=jit)", compiled, 11)
            good &= process("the same, code kept from a run before", compiled, 11, folder + "/kept")
    return good


def examples(dini):
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for script in sorted(ROOT.glob("dsl-examples/*/*.dini")):
            name = script.parent.name
            good &= process(f"dini check {name}", [dini, "check", str(script)], 7)
            good &= process(f"dini run {name}", [dini, "run", str(script)], 3)
            good &= process("the same, code kept from a run before",
                            [dini, "run", str(script)], 3, folder + "/kept")
    return good


def repl(dini):
    taken = {line: [] for line in REPL_LINES}
    starts = []
    for _ in range(7):
        start = time.perf_counter()
        terminal = Terminal(dini)
        starts.append(time.perf_counter() - start)
        try:
            for line in REPL_LINES:
                start = time.perf_counter()
                terminal.answer(line)
                taken[line].append(time.perf_counter() - start)
        finally:
            terminal.close()
    show("dini repl, to the first prompt", starts)
    for line, seconds in taken.items():
        show(f"REPL: {line}", seconds)
    return True


def main():
    dini = os.path.abspath(sys.argv[1])
    print("milliseconds: median, range")
    good = shell(dini)
    good &= repl(dini)
    good &= examples(dini)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
