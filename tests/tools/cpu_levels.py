"""The narrower instruction sets, on whatever CPU this is: the runtime's unit tests, and the programs
whose compiled code works in vectors, under DINI_CPU_LEVEL (runtime/include/dini/cpu.h)."""
import os
import re
import subprocess

import programs

LEVELS = ("avx2", "sse2")
FILES = ("roots_in_lanes.dini", "projections.dini", "tour.dini")


def run_unit(tally, options, level, environment):
    command = [str(options.dini.parent / "dini_unit"), "--source-file=*runtime_*"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=600,
                          env=environment)
    match = re.search(r"test cases:\s*\d+ \|\s*([1-9]\d*) passed \|\s*0 failed", done.stdout)
    tally.passed += int(match[1]) if match else 0
    if not match or done.returncode:
        tally.add(f"dini_unit, {level}", f"{done.stdout[-4000:]}status {done.returncode}")


def run(tally, options):
    for level in LEVELS:
        environment = {**os.environ, "DINI_CPU_LEVEL": level}
        if options.filter in "unit":
            run_unit(tally, options, level, environment)
        for name in FILES:
            for engine in programs.ENGINES:
                if options.filter in name:
                    path = programs.ROOT / "tests/programs" / name
                    programs.run_file(tally, options, path, engine, environment)
