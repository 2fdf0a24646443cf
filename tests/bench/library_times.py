#!/usr/bin/env python3
"""Libraries of `dini build` beside the JIT: library_times.py DINI. Sizes of the artefacts, what the shared
library needs (ldd), and the time per call of each function of library_times.dini and of its gradient:
from a C program linked with the static library, and inside a loop that `dini run` compiles (the
difference between two lengths of the loop). Medians of 7 runs; rows of the table in docs/guides/libraries.md."""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE / "library_times.dini"
FUNCTIONS = {"figure": 20000, "linear": 5000, "layer": 2000, "series": 5000}
RUNS = 7
TIMER = """
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "library_times.h"
static double seconds(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + 1e-9 * t.tv_nsec; }
#define TIME(f, calls) do { \\
    void *work = malloc(f##_work_bytes(NULL)); double s = 0.7, y = 0; \\
    const void *in[] = {&s}; void *out[] = {&y}; \\
    const double start = seconds(); \\
    for (long k = 0; k < calls; ++k) { if (f(in, out, NULL, work, NULL) != 0) return 1; s = 0.7 + 1e-9 * y; } \\
    printf("%s %.9g\\n", #f, (seconds() - start) / calls); free(work); } while (0)
int main(void) { dini_init(); CALLS return 0; }
"""


def out(command, **options):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, **options).stdout


def library_times(dini, folder):
    out([dini, "build", MODEL, "-o", folder, "--derivative", "grad"])
    calls = "".join(f"TIME({f}, {n}); TIME({f}_grad, {n}); " for f, n in FUNCTIONS.items())
    source = folder / "timer.c"
    source.write_text(TIMER.replace("CALLS", calls))
    out(["cc", "-O2", f"-I{folder}/include", source, folder / "lib/liblibrary_times.a", "-lmvec", "-lm", "-ldl",
         "-o", folder / "timer"])
    runs = [dict(line.split() for line in out([folder / "timer"]).splitlines()) for _ in range(RUNS)]
    return {f: statistics.median(float(one[f]) for one in runs) for f in runs[0]}


def jit_time(dini, folder, call, calls):
    """The seconds that one more call of a loop takes."""
    script = folder / "loop.dini"

    def run(count):
        script.write_text(f'import "{MODEL}"\nfn repeated(count: int) -> real = {{\n  var y = 0.0\n'
                          f"  for k in 0..count {{ y = {call}(0.7 + 1e-9*y) }}\n  y\n}}\n")
        start = time.perf_counter()
        out([dini, "run", script, "--fn", "repeated", "--arg", f"count={count}", "--engine=jit"])
        return time.perf_counter() - start

    run(10)  # the compiled code is kept
    return statistics.median((run(4 * calls) - run(calls)) / (3 * calls) for _ in range(RUNS))


def main():
    dini = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        library = library_times(dini, folder)
        for file in sorted((folder / "lib").glob("*library_times*.*")):
            print(f"{file.name}: {file.stat().st_size / 1024:.0f} KiB")
        print(out(["ldd", folder / "lib/liblibrary_times.so"]), end="")
        print("| call | library | JIT | ratio |\n| --- | --- | --- | --- |")
        for function, calls in FUNCTIONS.items():
            for call, symbol in ((function, function), (f"grad({function})", function + "_grad")):
                jit = jit_time(dini, folder, call, calls)
                print(f"| `{call}` | {1e6 * library[symbol]:.2f} us | {1e6 * jit:.2f} us | {library[symbol] / jit:.2f} |", flush=True)


if __name__ == "__main__":
    main()
