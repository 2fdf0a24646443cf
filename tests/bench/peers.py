#!/usr/bin/env python3
"""Other tools on the workloads of dini_bench, same inputs, answers checked: peers.py DINI_BENCH [CORE].
JAX, CasADi, scikit-learn and celer come from PyPI into build-release/bench-peers/; PyTorch is used where Python already has
it (Debian's python3-torch). What cannot be had is skipped with the reason."""
import importlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / "build-release" / "bench-peers"
PYTHON = HOME / "venv" / "bin" / "python"
SECONDS = 1.0


def median_time(function):
    """Median seconds of a call, over at least SECONDS, after a warm-up."""
    function()
    taken = []
    while sum(taken) < SECONDS or len(taken) < 3:
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


class Case:
    """A workload's inputs and the hand-written answers, as dini_bench exported them."""

    def __init__(self, name):
        import numpy
        folder = HOME / "data" / name
        self.name = name
        self.inputs = {path.stem: numpy.load(path) for path in folder.glob("*.npy")
                       if not path.stem.startswith("answer")}
        count = len(list(folder.glob("answer*.npy")))
        self.answers = [numpy.load(folder / f"answer{k}.npy") for k in range(count)]

    def check(self, leaves):
        import numpy
        for got, want in zip(leaves, self.answers, strict=True):
            got = numpy.asarray(got, dtype=float).reshape(-1)
            want = want.reshape(-1)
            worst = numpy.max(numpy.abs(got - want))
            assert worst <= 1e-9 * numpy.max(numpy.abs(want)), f"differs by {worst}"

    def report(self, tool, value, total, leaves):
        """`value` and `total` run and wait; `leaves` gives value and derivative."""
        try:
            self.check(leaves())
        except AssertionError as error:
            print(f"  {self.name:<12}{tool:<10} wrong: {error}")
            return
        print(f"  {self.name:<12}{tool:<10}{1e6 * median_time(value):>12.4g}"
              f"{1e6 * median_time(total):>12.4g}", flush=True)


def gaussian_mixture(np, lgamma, logsumexp, factor):
    """gmm.dini over a numpy-like module; factor(icf [K, p], d) gives Q [K, d, d]."""
    import math

    def gmm(alphas, means, icf, x, gamma=1.0, m=0):
        n, d = x.shape
        K = alphas.shape[0]
        Q = factor(icf, d)
        log_diagonal = icf[:, :d].sum(1)
        u = x[:, None, :] - means[None, :, :]
        v = np.einsum("kij,nkj->nki", Q, u)
        terms = alphas + log_diagonal - 0.5 * (v * v).sum(2)
        likelihood = logsumexp(terms, 1).sum() - n * logsumexp(alphas, 0)
        freedom = d + m + 1
        prior = (0.5 * gamma**2 * ((np.exp(icf[:, :d])**2).sum() + (icf[:, d:]**2).sum())
                 - m * log_diagonal.sum())
        log_gamma = 0.25 * d * (d - 1) * math.log(math.pi) + sum(
            lgamma(0.5 * (freedom - j)) for j in range(d))
        constant = freedom * d * (math.log(gamma) - 0.5 * math.log(2.0)) - log_gamma
        return likelihood - 0.5 * n * d * math.log(2 * math.pi) + K * constant - prior

    return gmm


def perceptron(np):
    def mlp(W1, b1, W2, b2, W3, b3, X, Y):
        R = np.tanh(np.tanh(X @ W1 + b1) @ W2 + b2) @ W3 + b3 - Y
        return (R * R).sum() / (2 * X.shape[0])

    return mlp


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2).sum()


def below_diagonal(d):
    """Rows and columns of icf's entries under the diagonal, in its order."""
    return [i for j in range(d) for i in range(j + 1, d)], [j for j in range(d) for i in range(j + 1, d)]


def run_jax(names):
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    import math

    def f(z):
        return jnp.tanh(z) + jnp.maximum(-z, 0) + z - jnp.maximum(z, 0)

    def slope(z):
        return 1 - jnp.tanh(z)**2 - (z < 0) + 1 - (z > 0)

    def root(x):
        def going(state):
            return jnp.logical_and(~state[1], state[2] < 60)

        def step(state):
            z, _, k = state
            value = f(z)
            done = jnp.abs(value - x) <= 1e-10 * (1 + jnp.maximum(jnp.abs(value), jnp.abs(x)))
            return z - (value - x) / slope(z), done, k + 1

        return jax.lax.while_loop(going, step, (x * 0, jnp.bool_(False), 0))[0]

    def slopes(x, x_dot):
        z = jax.vmap(root)(x)
        return z, x_dot / slope(z)

    def factor(icf, d):
        rows, columns = below_diagonal(d)
        K = icf.shape[0]
        Q = jnp.zeros((K, d, d)).at[:, jnp.array(rows), jnp.array(columns)].set(icf[:, d:])
        return Q + jnp.exp(icf[:, :d])[:, :, None] * jnp.eye(d)

    gmm = gaussian_mixture(jnp, math.lgamma, lambda t, axis: jax.nn.logsumexp(t, axis=axis), factor)
    mlp = perceptron(jnp)
    plans = {
        "roots": (jax.vmap(root), slopes, ("x",), ("x", "d")),
        "rosenbrock": (rosenbrock, jax.value_and_grad(rosenbrock), ("x",), ("x",)),
    }
    order = ("W1", "b1", "W2", "b2", "W3", "b3", "X", "Y")
    plans["mlp32"] = (mlp, jax.value_and_grad(mlp, argnums=tuple(range(6))), order, order)
    for name in ("gmm10", "gmm64"):
        inputs = ("alphas", "means", "icf", "x")
        plans[name] = (gmm, jax.value_and_grad(gmm, argnums=(0, 1, 2)), inputs, inputs)
    for name in names:
        value, total, value_inputs, total_inputs = plans[name]
        case = Case(name)
        value, total = jax.jit(value), jax.jit(total)
        given = {key: jnp.asarray(array) for key, array in case.inputs.items()}
        short = [given[key] for key in value_inputs]
        long = [given[key] for key in total_inputs]
        case.report("JAX " + jax.__version__, lambda: jax.block_until_ready(value(*short)),
                    lambda: jax.block_until_ready(total(*long)),
                    lambda: jax.tree_util.tree_leaves(total(*long)))


def run_casadi(names):
    ca = importlib.import_module("casadi")
    for name in names:
        if name.startswith("gmm"):
            continue  # its matrices have no batched product
        case = Case(name)
        if name == "rosenbrock":
            x = ca.MX.sym("x", case.inputs["x"].size)
            y = ca.sum1(100 * (x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)
            symbols, outs, inputs = [x], [ca.gradient(y, x)], ["x"]
        elif name == "mlp32":
            inputs = ["W1", "b1", "W2", "b2", "W3", "b3", "X", "Y"]
            symbols = [ca.MX.sym(key, *case.inputs[key].T.shape) if case.inputs[key].ndim == 2
                       else ca.MX.sym(key, case.inputs[key].size) for key in inputs]
            W1, b1, W2, b2, W3, b3, X, Y = symbols  # transposed: column-major there, row-major here
            rows = X.shape[1]
            wide = [ca.repmat(b, 1, rows) for b in (b1, b2, b3)]
            R = W3 @ ca.tanh(W2 @ ca.tanh(W1 @ X + wide[0]) + wide[1]) + wide[2] - Y
            y = ca.sumsqr(R) / (2 * rows)
            outs = [ca.gradient(y, s) for s in symbols[:6]]
        else:
            z, x = ca.MX.sym("z"), ca.MX.sym("x")
            residual = ca.tanh(z) + ca.fmax(-z, 0) + z - ca.fmax(z, 0) - x
            solver = ca.rootfinder("solver", "newton", {"x": z, "p": x, "g": residual})
            root = solver(x0=0, p=x)["x"]
            symbols, y, outs, inputs = [x], root, [ca.gradient(root, x)], ["x"]
        value = ca.Function("value", symbols, [y])
        total = ca.Function("total", symbols, [y, *outs])
        arrays = [case.inputs[key].T if case.inputs[key].ndim == 2 else case.inputs[key]
                  for key in inputs]
        if name == "roots":
            count = 10_000  # a hundredth of the workload: times are scaled
            case.answers = [answer[:count] for answer in case.answers]
            value, total = value.map(count), total.map(count)
            short = ca.DM(arrays[0][:count]).T
            scaled = 1_000_000 / count
            case.check([total(short)[0], total(short)[1]])
            print(f"  {name:<12}{'CasADi ' + ca.__version__:<10}"
                  f"{1e6 * scaled * median_time(lambda: value(short)):>12.4g}"
                  f"{1e6 * scaled * median_time(lambda: total(short)):>12.4g}"
                  "  (1e4 values, scaled)", flush=True)
            continue
        given = [ca.DM(array) for array in arrays]

        def leaves():
            results = total(*given)
            return [r.T.full() if r.shape[0] > 1 and r.shape[1] > 1 else r.full() for r in results]

        case.report("CasADi " + ca.__version__, lambda: value(*given), lambda: total(*given), leaves)


def run_torch(names):
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    import math

    def factor(icf, d):
        rows, columns = below_diagonal(d)
        Q = torch.zeros(icf.shape[0], d, d, dtype=icf.dtype)
        Q[:, rows, columns] = icf[:, d:]
        return Q + torch.diag_embed(torch.exp(icf[:, :d]))

    gmm = gaussian_mixture(torch, math.lgamma, lambda t, axis: torch.logsumexp(t, axis), factor)
    order = ("W1", "b1", "W2", "b2", "W3", "b3", "X", "Y")
    mixture = ("alphas", "means", "icf", "x")
    plans = {"rosenbrock": (rosenbrock, ("x",), 1), "mlp32": (perceptron(torch), order, 6),
             "gmm10": (gmm, mixture, 3), "gmm64": (gmm, mixture, 3)}
    for name in names:
        if name not in plans:
            continue
        function, inputs, active = plans[name]
        case = Case(name)
        given = [torch.from_numpy(case.inputs[key]) for key in inputs]
        moving = [tensor.clone().requires_grad_() for tensor in given[:active]] + given[active:]

        def total():
            y = function(*moving)
            return [y.detach(), *torch.autograd.grad(y, moving[:active])]

        case.report("torch " + torch.__version__, lambda: function(*given), total, total)


def run_lasso(tool, names, make):
    """`make(alpha)`: a solver of norm(y - X b)^2/(2 m) + alpha norm1(b), to a gap of 1e-8 norm(y)^2. It has
    no derivative, and its answer is as exact as the gap: the difference is told."""
    for name in names:
        if not name.startswith("lasso"):
            continue
        case = Case(name)
        X, y, V, t = (case.inputs[key] for key in ("X", "y", "V", "t"))
        import numpy
        X = numpy.asfortranarray(X)
        solver = make(float(case.inputs["penalty"]) / len(y))

        def loss():
            r = V @ solver.fit(X, y).coef_ - t
            return r @ r / 2

        off = abs(loss() - case.answers[0].item()) / case.answers[0].item()
        if off > 1e-3:
            print(f"  {name:<12}{tool:<10} wrong: differs by {off}")
            continue
        print(f"  {name:<12}{tool:<10}{1e6 * median_time(loss):>12.4g}{'':>12} loss off by {off:.1g}", flush=True)


def run_sklearn(names):
    from sklearn import linear_model, __version__
    run_lasso("sklearn " + __version__, names,
              lambda alpha: linear_model.Lasso(alpha, fit_intercept=False, tol=1e-8, max_iter=100000))


def run_celer(names):
    from celer import Lasso, __version__
    run_lasso("celer " + __version__, names, lambda alpha: Lasso(alpha, fit_intercept=False, tol=1e-8))


NAMES = ["roots", "rosenbrock", "gmm10", "gmm64", "mlp32", "lasso10", "lasso100"]
TOOLS = {"jax": run_jax, "casadi": run_casadi, "torch": run_torch, "sklearn": run_sklearn, "celer": run_celer}
PACKAGES = {"sklearn": "scikit-learn"}  # where a module's package has another name


def reason(done):
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def prepare(bench):
    """The environment and the exported inputs; false with a reason printed."""
    HOME.mkdir(parents=True, exist_ok=True)
    if not PYTHON.exists():
        done = subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", HOME / "venv"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            print(f"peers skipped: no virtual environment: {reason(done)}")
            return False
    done = subprocess.run([bench, "--export", HOME / "data"], capture_output=True, text=True)
    if done.returncode != 0:
        print(f"peers skipped: dini_bench --export: {reason(done)}")
        return False
    return True


def install(package):
    """None, or why it cannot be had."""
    if subprocess.run([PYTHON, "-c", f"import {package}"], capture_output=True).returncode == 0:
        return None
    if package == "torch":
        return "not installed (Debian: python3-torch)"
    done = subprocess.run([PYTHON, "-m", "pip", "install", "-q", PACKAGES.get(package, package), "numpy"],
                          capture_output=True, text=True)
    return None if done.returncode == 0 else reason(done)


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "--tool":
        os.sched_setaffinity(0, {int(sys.argv[3])})
        TOOLS[sys.argv[2]](NAMES)
        return 0
    core = sys.argv[2] if len(sys.argv) > 2 else "0"
    if not prepare(os.path.abspath(sys.argv[1])):
        return 0
    print("peers, microseconds a call: value, then value and derivative; one core")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for tool in TOOLS:
        missing = install(tool)
        if missing:
            print(f"  {tool} skipped: {missing}")
            continue
        done = subprocess.run([PYTHON, __file__, "--tool", tool, core], env=environment,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            print(f"  {tool} failed: {reason(done)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
