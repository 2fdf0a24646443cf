#!/usr/bin/env python3
"""W4 against other tools: 64 quadratic programs, 100 unknowns, 50 equalities, 50 inequalities, one core, the
minimisers and then the cotangents of all data: qp_peers.py DINI. Dini's time is that of further calls in one
process; ProxQP (proxsuite, solutions only) and SciPy's answers are for comparison, where they are installed."""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ["Q", "q", "A", "b", "G", "h", "x_bar"]
FEW, MANY = 2, 8


def problems():
    rng = numpy.random.default_rng(4)
    R = rng.normal(size=(64, 100, 100)) / 10
    Q = R.transpose(0, 2, 1) @ R + 0.1 * numpy.eye(100)
    A, G = rng.normal(size=(64, 50, 100)), rng.normal(size=(64, 50, 100))
    inside = rng.normal(size=(64, 100)) / 10
    b = numpy.einsum("kij,kj->ki", A, inside)
    h = numpy.einsum("kij,kj->ki", G, inside) + rng.uniform(size=(64, 50))
    return dict(zip(NAMES, [Q, rng.normal(size=(64, 100)), A, b, G, h, rng.normal(size=(64, 100))]))


def seconds(dini, folder, call):
    """Of one call: the difference between a run with many and one with few of them."""
    taken = []
    for count in (FEW, MANY):
        script = folder / "run.dini"
        loads = "\n".join(f'let {name} = load("{name}.npy")' for name in NAMES)
        script.write_text(f'import "{HERE}/qp_layer.dini"\n{loads}\nfor r in 0..{count} {{ {call} }}\n')
        runs = []
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run([dini, "run", script], check=True, stdout=subprocess.DEVNULL)
            runs.append(time.perf_counter() - start)
        taken.append(min(runs))
    return (taken[1] - taken[0]) / (MANY - FEW)


def proxqp(data):
    import proxsuite
    def solve():
        answers = []
        for Q, q, A, b, G, h in zip(*(data[name] for name in NAMES[:6])):
            qp = proxsuite.proxqp.dense.QP(100, 50, 50)
            qp.settings.eps_abs = 1e-10
            qp.init(Q, q, A, b, G, numpy.full(50, -1e20), h)
            qp.solve()
            answers.append(qp.results.x)
        return numpy.array(answers)
    answers = solve()
    start = time.perf_counter()
    solve()
    return answers, time.perf_counter() - start


def main(dini):
    data = problems()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for key, value in data.items():
            numpy.save(folder / f"{key}.npy", value)
        arguments = "Q, (1 + 0.0*r)*q, A, b, G, h"
        value = seconds(dini, folder, f"print sum(minimisers({arguments}))")
        total = seconds(dini, folder, f"let (a, c, d, e, f, g) = cotangents({arguments}, x_bar)\n print sum(a)")
        print(f"Dini     minimisers {1e3 * value:8.1f} ms   with all cotangents {1e3 * total:8.1f} ms")
        if importlib.util.find_spec("proxsuite") is None:
            print("ProxQP   skipped: proxsuite is not installed")
            return
        (folder / "answers.dini").write_text(
            f'import "{HERE}/qp_layer.dini"\nsave(minimisers(' +
            ", ".join(f'load("{key}.npy")' for key in NAMES[:6]) + '), "x.npy")\n')
        subprocess.run([dini, "run", folder / "answers.dini"], check=True)
        answers, taken = proxqp(data)
        apart = numpy.abs(numpy.load(folder / "x.npy") - answers).max()
        assert apart <= 1e-7 * numpy.abs(answers).max(), f"the answers differ by {apart}"
        print(f"ProxQP   minimisers {1e3 * taken:8.1f} ms   answers agree to {apart:.1e}")


if __name__ == "__main__":
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    main(sys.argv[1])
