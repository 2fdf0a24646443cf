"""Source text that `dini emit` writes, run: for each case the function and its derivatives are emitted as
C++, compiled by clang++ and g++ without warnings, run, and compared with `dini eval`; and emitted as Dini,
checked, evaluated and compared. Agreement is to 1e-13 of the largest number of a result, times the condition that a case states:
the C library's functions differ from the vector ones in the last bits. The programs of tests/programs: emitted_programs.py."""
import json
import math
import os
import pathlib
import subprocess
import tempfile

import emitted_programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / "tests/emitted/models.dini"
COMPILERS = ("clang++-19", "g++")
FLAGS = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-fwrapv",
         f"-I{ROOT / 'runtime/include'}"]
TOLERANCE = 1e-13
W = "[[0.5, -0.25, 1.0], [0.125, 0.75, -0.5], [1.5, 0.25, -1.0]]"
# function, sizes, arguments, derivatives besides the value (a seed after a colon), condition
CASES = (
    ("smooth", "", ("0.75", "0.5"), ("grad", "hess", "value_and_grad", "jvp:0.5, -1.5"), 1),
    ("kinks", "", ("0.5", "0.5"), ("grad", "jvp:1.0, -0.5"), 1),
    ("kinks", "", ("-0.25", "0.0"), ("grad",), 1),
    ("jumps", "", ("0.3",), ("grad",), 1),
    ("figure_1", "", ("0.0",), ("grad", "jvp:1.0"), 1),
    ("figure_1", "", ("0.5",), ("grad", "hess"), 1),
    ("layer", "n=3", (W, "[0.5, 0.0, -1.0]", "[1.0, -0.5, 0.25]"), ("vjp:[1.0, 2.0, -1.0]", "jac"), 1),
    ("system", "n=3", (W, "[0.5, 0.0, -1.0]"), ("vjp:[1.0, 2.0, -1.0]", "jac"), 10),
    ("symmetric", "n=3", (W, "[0.5, 0.0, -1.0]"), ("grad",), 10),
    ("equilibrium", "n=3", (W, "[0.5, 0.1, -1.0]"), ("vjp:[1.0, 2.0, -1.0]", "jac"), 10),
    ("pair", "", ("4.25",), ("grad", "hess"), 10),
    ("accumulated", "", ("0.75", "5"), ("grad", "value_and_grad"), 1),
    ("newton_root", "", ("2.0",), ("grad",), 1),
    ("rescued", "n=3", ("0.5", W), ("grad",), 10),
    ("ordered", "n=4", ("[0.5, -1.5, 0.5, 2.0]",), ("grad",), 1),
    ("pooled", "m=2,n=3", ("[[1.0, 2.0, 2.0], [0.5, -0.5, 0.25]]",), ("vjp:[1.0, -2.0]",), 1),
    ("probabilities", "n=3", ("[0.5, 1.5, -1.0]",), ("jac",), 1),
    ("polynomial", "n=4", ("[0.5, 1.5, -1.0, 2.0]", "0.75"), ("grad", "hess"), 1),
    ("rearranged", "n=3", ("[0.5, 1.5, -1.0]",), ("jac",), 1),
    ("matrices", "n=3", (W,), ("grad",), 1),
    ("gathered", "n=4,k=3", ("[0.5, 1.5, -1.0, 2.0]", "[2, 0, 2]"), ("grad",), 1),
    ("many_roots", "n=3", ("[2.0, 0.5, -0.25]",), (), 1),
    ("integers", "", ("7", "0.5"), ("grad",), 1),
    ("moment", "n=2", ("Point { at = [1.0, -2.0], weight = 0.5 }",), (), 1),
    ("several", "n=2", ("0.5", "[1.0, -2.0]"), ("jac", "jvp:1.0, [0.5, 0.25]"), 1),
    ("drawn", "", ("7",), (), 1),
    ("descent", "n=2", ("[0.5, -1.5]",), ("jac",), 1),
    ("tight", "", ("[2.5, -1.0]",), ("vjp:[1.0, -2.0]", "jac"), 10),
    ("spectrum", "n=3", (W,), ("grad",), 10),
    ("semidefinite", "n=3", (W,), ("vjp:" + W,), 10),
    ("semidefinite", "n=3", ("[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, -1.0]]",), ("vjp:" + W,), 10),
    ("triangular", "m=3,n=2", ("[[0.5, -0.25], [1.5, 0.75], [-0.5, 2.0]]",), ("grad",), 10),
    ("decomposed", "m=3,n=2", ("[[0.5, -0.25], [1.5, 0.75], [-0.5, 2.0]]",), ("grad",), 10),
    ("wide", "m=2,n=3", ("[[0.5, -0.25, 1.5], [0.75, -0.5, 2.0]]",), (), 10),
    ("fitted", "m=3,n=2", ("[[0.5, -0.25], [1.5, 0.75], [-0.5, 2.0]]", "[1.0, -0.5, 2.0]"), ("vjp:[1.0, -2.0]",), 10),
    ("on_simplex", "n=3", ("[0.5, 1.5, -1.0]", "1.0"), ("vjp:[1.0, -2.0, 0.5]",), 1),
    ("on_simplex", "n=3", ("[0.5, 0.5, -0.5]", "1.0"), ("vjp:[1.0, -2.0, 0.5]",), 1),
    ("in_cone", "n=3", ("[0.5, 1.5, -1.0]",), ("vjp:[1.0, -2.0, 0.5]",), 1),
)

def flat(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in flat(item)]
    return [float(value)]


def call(case, derivative, name=None):
    function, _, arguments, _, _ = case
    kind, _, seed = derivative.partition(":")
    values = ", ".join([*arguments, *([seed] if seed else [])])
    if name:
        return f"{name}({values})"
    return f"{kind}({function})({values})" if kind else f"{function}({values})"


def run(command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)


def evaluate(options, path, expression):
    """The numbers of an expression's value, or None and what went wrong."""
    done = run([options.dini, "eval", expression, "-f", path, "--json"])
    if done.returncode:
        return None, done.stderr
    return flat(json.loads(done.stdout.replace("nan", "NaN").replace("inf", "Infinity"))), ""


def emit(options, case, derivative, stage):
    function, dims, _, _, _ = case
    kind = derivative.partition(":")[0]
    command = [options.dini, "emit", MODELS, "--as", stage, "--fn", function]
    command += ["--derivative", kind] if kind else []
    return run([*command, "--dims", dims] if dims else command)


def difference(found, expected, condition):
    if len(found) != len(expected):
        return f"{len(found)} numbers instead of {len(expected)}"
    size = max([abs(x) for x in expected if math.isfinite(x)] + [1.0])
    for at, (x, y) in enumerate(zip(found, expected)):
        if not (x == y or (math.isnan(x) and math.isnan(y)) or abs(x - y) <= TOLERANCE * condition * size):
            return f"number {at} is {x!r}, eval gives {y!r}"
    return ""


def flat_raw(value):
    return [x for item in value for x in flat_raw(item)] if isinstance(value, list) else [value]


def is_tuple(text):
    depth = 0
    for c in text:
        depth += (c in "[({") - (c in "])}")
        if c == "," and depth == 0:
            return True
    return False


def cpp_arguments(options, case, derivative, text, name):
    """The arguments of a call in C++: a scalar, or a vector that the span of the parameter reads."""
    seed = derivative.partition(":")[2]
    leaves = []
    for argument in [*case[2], *([seed] if seed else [])]:
        value = json.loads(run([options.dini, "eval", f"({argument})", "-f", MODELS, "--json"]).stdout)
        # A seed of several parts and a record are several leaves.
        leaves += list(value.values()) if isinstance(value, dict) else value if is_tuple(argument) else [value]
    parameters = " ".join(text.partition(f" {name}(")[2].partition(") {")[0].split()).split(", ")
    made = []
    for leaf, parameter in zip(leaves, parameters):
        numbers = ", ".join(repr(x) for x in flat_raw(leaf))
        element = parameter.partition("std::span<const ")[2].partition(">")[0]
        made.append(f"std::vector<{element}>{{{numbers}}}" if element else numbers)
    return ", ".join(made)


MAIN = """
static void show(double x) { std::printf(" %.17g", x); }
template <class T> static void show(const ds::array<T>& x) { for (auto v : x.elements()) show(static_cast<double>(v)); }
int main() {
%s}
"""


def cpp_program(options, tally, expected):
    """One program that prints the numbers of every case, a line each."""
    texts, calls, seen = [], [], {}
    for (case, derivative), _ in expected.items():
        function, dims = case[0], case[1]
        name = function + ("_" + derivative.partition(":")[0] if derivative else "")
        if name not in seen:
            done = emit(options, case, derivative, "cpp")
            if done.returncode:
                tally.add(f"emit --as cpp {name}", done.stderr or "no text")
                continue
            seen[name] = done.stdout
            texts.append(done.stdout)
        arguments = cpp_arguments(options, case, derivative, seen[name], name)
        fields = [line.split()[1].split(";")[0] for line in seen[name].partition(f"struct {name}_result {{\n")[2].partition("};")[0].splitlines()]
        shows = " ".join(f"show(r.{field});" for field in fields) if fields else "show(r);"
        key = json.dumps([case[0], case[2], derivative])
        calls.append(f"  {{ std::printf(\"%s\", {json.dumps(key)}); std::printf(\"\\t\"); const auto r = {name}({arguments}); {shows} std::puts(\"\"); }}\n")
    return "".join(texts) + "#include <cstdio>\n#include <vector>\n" + MAIN.replace("%s", "".join(calls))


def check_cpp(options, tally, expected, folder):
    program = folder / "emitted.cpp"
    program.write_text(cpp_program(options, tally, expected))
    for compiler in COMPILERS:
        done = run([compiler, *FLAGS, program, "-o", folder / "emitted"])
        tally.add(f"{compiler} takes emitted C++ without warnings", done.stderr[:4000] if done.returncode else "")
        if done.returncode:
            continue
        done = run([folder / "emitted"])
        found = dict(line.split("\t") for line in done.stdout.splitlines() if "\t" in line)
        for (case, derivative), numbers in expected.items():
            key = json.dumps([case[0], case[2], derivative])
            problem = done.stderr or "no line" if key not in found else difference([float(x) for x in found[key].split()], numbers, case[4])
            tally.add(f"{compiler}: {call(case, derivative)}", problem)


def check_dini(options, tally, expected, folder):
    for number, ((case, derivative), numbers) in enumerate(expected.items()):
        name = f"emit --as dini: {call(case, derivative)}"
        done = emit(options, case, derivative, "dini")
        if done.returncode:
            tally.add(name, done.stderr or "no text")
            continue
        path = folder / f"emitted_{number}.dini"
        path.write_text(done.stdout)
        checked = run([options.dini, "check", path])
        if checked.returncode:
            tally.add(name, checked.stderr + done.stdout)
            continue
        function = case[0] + ("_" + derivative.partition(":")[0] if derivative else "")
        if case[0] == "moment":
            function = "moment"
            found, problem = evaluate(options, path, "moment([1.0, -2.0], 0.5)")
        else:
            found, problem = evaluate(options, path, call(case, derivative, function))
        tally.add(name, problem if found is None else difference(found, numbers, case[4]) and difference(found, numbers, case[4]) + "\n" + done.stdout)


def run_all(tally, options):
    emitted_programs.run_all(tally, options)
    expected = {}
    for case in CASES:
        if options.filter not in case[0]:
            continue
        for derivative in ("", *case[3]):
            numbers, problem = evaluate(options, MODELS, call(case, derivative))
            if numbers is None:
                tally.add(f"eval {call(case, derivative)}", problem)
            else:
                expected[case, derivative] = numbers
    if not expected:
        return
    with tempfile.TemporaryDirectory() as folder:
        if os.environ.get("EMITTED") != "dini":
            check_cpp(options, tally, expected, pathlib.Path(folder))
        if os.environ.get("EMITTED") != "cpp":
            check_dini(options, tally, expected, pathlib.Path(folder))
