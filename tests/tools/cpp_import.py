"""Functions of tests/cpp, written as C++ programmers write them, imported: for each case the value by `dini`
against the same file compiled by clang++ and g++, and the Jacobian against central differences and the complex
step of the compiled file. Files of tests/cpp/refused must be refused with the code and words that their first line
states. Programs go C++ -> Dini -> C++ and back."""
import json
import math
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/cpp"
COMPILERS = ("clang++-19", "g++")
FLAGS = ["-std=c++20", "-O1", "-ffp-contract=off", "-Wno-attributes"]
# function; arguments as C++ types and numbers; results: what is read after the call. A `size` is an int.
# "out k" is an output of k numbers, "n 5" an int that is a size, "array", "vector" and "span" hold several numbers.
CASES = (
    ("rosenbrock", ("array -1.2 1",)),
    ("freudenstein_roth", ("array 0.5 -2", "out 2")),
    ("powell_badly_scaled", ("array 0.1 1.5", "out 2")),
    ("beale", ("0.75", "-1.25")),
    ("jennrich_sampson", ("0.3", "0.4")),
    ("helical_valley", ("array -1 0.5 0.25",)),
    ("helical_valley", ("array 1 0.5 0.25",)),
    ("bard", ("vector 1 1.5 2",)),
    ("meyer", ("0.02", "4000", "250")),
    ("powell_singular", ("span 3 -1 0.5 1",)),
    ("wood", ("array -3 -1 -3 -1.5",)),
    ("kowalik_osborne", ("span 0.25 0.39 0.415 0.39", "out 11")),
    ("trigonometric", ("n 5", "array 0.1 0.2 -0.3 0.4 0.5", "out 5")),
    ("boundary_value", ("n 4", "vector 0.1 -0.2 0.3 -0.1")),
    ("broyden_tridiagonal", ("n 6", "array -1 0.5 -1 0.25 2 -1", "out 6")),
    ("crescent", ("-1.5", "2")),
    ("crescent", ("0.25", "0.125")),
    ("cb2", ("1", "-0.1")),
    ("cb2", ("2", "2.5")),
    ("dem", ("1", "0.5")),
    ("dem", ("-1", "0.5")),
    ("mifflin1", ("0.8", "0.9")),
    ("mifflin1", ("0.3", "0.4")),
    ("wolfe", ("3", "2")),
    ("wolfe", ("1", "-2")),
    ("wolfe", ("-0.5", "1")),
    ("maxq", ("span 0.5 -2 1.5 1.75",)),
    ("planar_arm", ("array 0.3 -0.5 1.1", "array 0.5 0.4 0.2")),
    ("puma_wrist", ("0.3", "-0.5", "1.1")),
    ("hunt_crossley", ("0.01", "0.2", "1e6", "0.3")),
    ("hunt_crossley", ("-0.01", "0.2", "1e6", "0.3")),
    ("friction", ("0.0004", "9.81", "0.6")),
    ("friction", ("-2", "9.81", "0.6")),
    ("carbon_dioxide", ("320", "0.0005")),
    ("van_der_waals", ("300", "0.001", "0.364", "4.27e-5")),
    ("black_scholes_call", ("100", "95", "0.03", "0.25", "0.75")),
    ("colebrook", ("0.02", "1e5", "1e-4")),
    ("eccentric_anomaly", ("1.25", "0.4")),
    ("cholesky_solve", ("n 3", "array 4 1 0.5 1 3 -0.25 0.5 -0.25 2", "array 1 2 -1", "out 3")),
)

PRELUDE = """#include <cstdio>
#ifdef STEP
#include "complex_step.h"
#define double stepped
#endif
#include "{file}"
#ifdef STEP
#undef double
#else
using stepped = double;
#endif
inline void show(double x) {{ std::printf(" %.17g", x); }}
#ifdef STEP
inline void show(stepped x) {{ std::printf(" %.17g", x.im); }}
#endif
inline void show(const Pose& p) {{ show(p.x); show(p.y); show(p.phi); }}
template <class T> requires requires(T t) {{ t.size(); }}
void show(const T& all) {{ for (const auto& x : all) show(x); }}
"""


def run(command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)


def numbers(argument):
    words = argument.split()
    return [float(word) for word in (words[1:] if words[0] in ("array", "vector", "span") else words)]


def is_input(argument):
    return argument.split()[0] not in ("out", "n")


def cpp_call(function, arguments, inputs, step):
    """The statement that calls and shows; `inputs` are lists of numbers in the order of the arguments. `step` is
    (argument, element, its text), or None."""
    before, names, outputs, seen = [], [], [], 0
    for k, argument in enumerate(arguments):
        kind, count = argument.split()[0], argument.split()[1] if " " in argument else ""
        if kind == "n":
            names.append(count)
        elif kind == "out":
            before.append(f"std::array<stepped, {count}> a{k}{{}};")
            names.append(f"std::span<stepped, {count}>(a{k})" if function == "kowalik_osborne" else f"a{k}.data()")
            outputs.append(f"a{k}")
        else:
            values = [repr(x) for x in inputs[seen]]
            if step and step[0] == seen:
                values[step[1]] = step[2]
            text = ", ".join(values)
            if kind in ("array", "span", "vector"):
                pointer = function in POINTERS
                holder = "std::vector<stepped>" if kind == "vector" else f"std::array<stepped, {len(values)}>"
                before.append(f"const {holder} a{k} = {{{text}}};")
                names.append(f"a{k}.data()" if pointer else f"a{k}")
            else:
                names.append(text)
            seen += 1
    call = f"{function}({', '.join(names)})"
    shown = f"{call}; {' '.join(f'show({name});' for name in outputs)}" if outputs else f"show({call});"
    return "{ " + " ".join(before) + " " + shown + ' std::puts(""); }'


POINTERS = {"freudenstein_roth", "powell_badly_scaled", "wood", "trigonometric", "broyden_tridiagonal", "cholesky_solve"}
H = 1e-200


def compiled(folder, compiler, name, lines, step):
    source = folder / f"{name}.cpp"
    source.write_text(PRELUDE.format(file=FOLDER / "problems.cpp") + "int main() {\n" + "\n".join(lines) + "\n}\n")
    flags = [*FLAGS, "-DSTEP"] if step else FLAGS
    done = run([compiler, *flags, f"-I{FOLDER}", source, "-o", folder / name])
    if done.returncode:
        return None, done.stderr[:3000]
    done = run([folder / name])
    return [[float(x) for x in line.split()] for line in done.stdout.splitlines()], done.stderr


def flat(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [x for item in value for x in flat(item)]
    return [float(value)]


def evaluate(options, file, expressions):
    """The values of several expressions, in one run of `dini`."""
    done = run([options.dini, "eval", "(" + ", ".join(["0", *expressions]) + ")", "-f", file, "--json"])
    if done.returncode:
        return None, done.stderr
    return json.loads(done.stdout.replace('"nan"', "NaN").replace('"inf"', "Infinity"))[1:], ""


def dini_arguments(arguments):
    texts = []
    for argument in arguments:
        kind = argument.split()[0]
        if kind == "out":
            continue
        values = [repr(x) for x in numbers(argument)] if kind != "n" else [argument.split()[1]]
        texts.append("[" + ", ".join(values) + "]" if kind in ("array", "vector", "span") else values[0])
    return ", ".join(texts)


def jacobian(value, outputs, sizes):
    """Rows by result, columns by input, of what `jac` gives: blocks out ++ in, one for each pair."""
    blocks = value if len(sizes) > 1 else [value]
    rows = [[] for _ in range(outputs)]
    for block, size in zip(blocks, sizes):
        entries = flat(block)
        for row in range(outputs):
            rows[row] += entries[row * size:(row + 1) * size]
    return rows


def close(found, expected, tolerance):
    size = max([abs(x) for x in expected if math.isfinite(x)] + [1.0])
    if len(found) != len(expected):
        return f"{len(found)} numbers instead of {len(expected)}"
    for at, (x, y) in enumerate(zip(found, expected)):
        if not (x == y or (math.isnan(x) and math.isnan(y)) or abs(x - y) <= tolerance * size):
            return f"number {at} is {x!r} instead of {y!r}"
    return ""


def check_values(options, tally, folder, file, name):
    lines = [cpp_call(function, arguments, [numbers(a) for a in arguments if is_input(a)], None) for function, arguments in CASES]
    calls = [f"{function}({dini_arguments(arguments)})" for function, arguments in CASES]
    found, problem = evaluate(options, file, calls)
    if found is None:
        tally.add(f"{name}: values", problem)
        return
    for compiler in COMPILERS:
        expected, problem = compiled(folder, compiler, f"values_{compiler.partition('+')[0]}", lines, False)
        if expected is None:
            tally.add(f"{name}: {compiler}", problem)
            continue
        for call, mine, theirs in zip(calls, found, expected):
            tally.add(f"{name}: {call} against {compiler}", close(flat(mine), theirs, 1e-13))


def check_derivatives(options, tally, folder, file, name):
    steps, differences, shapes = [], [], []
    for function, arguments in CASES:
        inputs = [numbers(a) for a in arguments if is_input(a)]
        shapes.append([len(x) for x in inputs])
        for which, values in enumerate(inputs):
            for element, x in enumerate(values):
                steps.append(cpp_call(function, arguments, inputs, (which, element, f"stepped({x!r}, {H!r})")))
                h = 6e-6 * max(abs(x), 1e-3)
                for shifted in (x + h, x - h):
                    differences.append(cpp_call(function, arguments, inputs, (which, element, repr(shifted))))
    found, problem = evaluate(options, file, [f"jac({function})({dini_arguments(arguments)})" for function, arguments in CASES])
    by_step, failed = compiled(folder, COMPILERS[0], "steps", steps, True)
    around, failed_again = compiled(folder, COMPILERS[0], "differences", differences, False)
    if found is None or by_step is None or around is None:
        tally.add(f"{name}: derivatives", problem or failed or failed_again)
        return
    at = 0
    for (function, arguments), value, sizes in zip(CASES, found, shapes):
        case, count = f"jac({function})({dini_arguments(arguments)})", len(by_step[at])
        columns = [[x / H for x in column] for column in by_step[at:at + sum(sizes)]]
        # A record's derivative by several parameters is grouped by its fields.
        if isinstance(value, list) and function == "planar_arm":
            value = [[block[k] for block in value] for k in range(len(sizes))]
        mine = jacobian(value, count, sizes)
        theirs = [[column[row] for column in columns] for row in range(count)]
        inputs = [x for a in arguments if is_input(a) for x in numbers(a)]
        for row in range(count):
            tally.add(f"{name}: {case}, row {row}, complex step", close(mine[row], theirs[row], 1e-12))
        central = [[(around[2 * (at + k)][row] - around[2 * (at + k) + 1][row]) / (2 * 6e-6 * max(abs(x), 1e-3))
                    for k, x in enumerate(inputs)] for row in range(count)]
        for row in range(count):
            scale = max([abs(x) for x in mine[row]] + [1.0])
            tally.add(f"{name}: {case}, row {row}, differences", close([x / scale for x in mine[row]], [x / scale for x in central[row]], 2e-5))
        at += sum(sizes)


def check_refused(options, tally):
    for path in sorted((FOLDER / "refused").glob("*.cpp")):
        if options.filter not in f"refused/{path.name}":
            continue
        first = path.read_text().splitlines()[0]
        stated = re.fullmatch(r"// (E\d{4}): (.*)", first)
        done = run([options.dini, "import", path])
        words = done.stderr.splitlines()[0] if done.stderr else ""
        exit_code = 2 if stated[1] == "E0806" else 1
        good = done.returncode == exit_code and f"[{stated[1]}]" in words and stated[2] in words and f"{path}:" in done.stderr and not done.stdout
        tally.add(f"refused/{path.name}", "" if good else f"status {done.returncode}, expected {first}\n{done.stderr}{done.stdout}")


def check_run_time(tally, options):
    """tests/cpp/language.cpp: each function has a comment `// f(arguments) = value` for each call; with `Dini:` in
    front it is not called in C++."""
    path = FOLDER / "language.cpp"
    cases = re.findall(r"^// (Dini: )?(\w+\(.*\)) = (.*)$", path.read_text(), re.M)
    found, problem = evaluate(options, path, [call for _, call, _ in cases])
    if found is None:
        tally.add("language.cpp", problem)
        return
    compiled_calls = [call for only_dini, call, _ in cases if not only_dini]
    expected = dict(zip(compiled_calls, cpp_expected(compiled_calls, path)))
    for (_, call, stated), mine in zip(cases, found):
        theirs = expected.get(call)
        stated_numbers = [float(x) for x in re.findall(r"-?(?:inf|nan|[\d.]+(?:e[-+]?\d+)?)", stated)]
        tally.add(f"language.cpp: {call}", close(flat(mine), stated_numbers, 1e-13))
        if theirs is not None:
            tally.add(f"language.cpp: {call}, bit for bit as compiled", "" if flat(mine) == theirs or str(flat(mine)) == str(theirs) else f"{flat(mine)} instead of {theirs}")


def cpp_expected(calls, path):
    """What the compiled functions give."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        spelled = [re.sub(r"\binf\b", "INFINITY", re.sub(r"\bnan\b", "NAN", call)) for call in calls]
        body = "".join(f'  show({call}); std::puts("");\n' for call in spelled)
        (folder / "main.cpp").write_text('#include <cstdio>\n#include <cmath>\n#include <type_traits>\n#include "' + str(path) + '"\n'
                                         'void show(auto x) { if constexpr (std::is_arithmetic_v<decltype(x)>) std::printf(" %.17g", static_cast<double>(x)); else for (auto e : x) show(e); }\n'
                                         "int main() {\n" + body + "}\n")
        done = run(["clang++-19", *FLAGS, folder / "main.cpp", "-o", folder / "main"])
        if done.returncode:
            raise RuntimeError(done.stderr[:3000])
        lines = run([folder / "main"]).stdout.splitlines()
    return [[float(x) for x in line.split()] for line in lines]


# What goes Dini -> C++ -> Dini: the function, a point, the derivatives that are emitted, and whether the imported
# function itself is differentiated again.
M3, M23 = "[[2, 0.5, 0.25], [-0.5, 1.5, 0.125], [0.25, 0, 3]]", "[[0.5, 1.5, -2], [3, 0.25, -0.75]]"
DATA = "[[1, 2, 3], [0, 1, 2], [1, 0, 1], [2, 1, 0]], [1, 2, 3, 4], 0.5"
ROUND_TRIPS = (("wave", "0.75, 0.5", ("", "grad", "jvp", "hess"), True), ("kinks", "0.5, -0.25", ("", "grad", "jvp"), True),
               ("logistic", "0.3, 7", ("",), True), ("halved", "7.5", ("",), True), ("euclid", "84, 36", ("",), False),
               ("quadratic", f"{M3}, [1, -2, 0.5]", ("", "grad", "vjp", "jvp"), True), ("system", f"{M3}, [1, -2, 0.5]", ("", "vjp", "jvp"), True),
               ("covariance", f"{M3}, {M23}", ("", "vjp", "jvp"), True), ("pieces", f"{M23}, [1, 2, 4]", ("", "vjp", "jvp"), True),
               ("reductions", M23, ("", "vjp", "jvp"), True), ("counted", "[1, 0.25, 3, -1]", ("",), False),
               ("spectrum", "[[2, 0.5, 0.25], [0.5, -1.5, 0.125], [0.25, 0.125, 3]]", ("", "grad", "jvp"), True),
               ("cones", "[0.5, 1, -0.25, 0.75]", ("", "vjp", "jvp"), True),
               ("attempt", "[[1, 2], [2, 4]], [1, 3]", ("",), False), ("attempt", "[[1, 2], [2, 5]], [1, 3]", ("", "vjp"), True),
               ("equilibrium", "[[0.2, 0.5, 0.25], [-0.5, 0.1, 0.125], [0.25, 0, 0.3]], [1, -2, 0.5]", ("", "vjp", "jvp"), True),
               ("shrunk", DATA, ("", "vjp", "jvp"), True), ("shrunk", DATA.replace("0.5", "30"), ("", "vjp"), False),
               ("allocation", "[-1, 0.5, 0.25], 0.5", ("", "vjp", "jvp"), False))
MODELS = FOLDER / "models.dini"


def seeds(function, derivative, arguments, options):
    """The further arguments of a derivative: numbers in the shapes of the parameters, or of the result."""
    if derivative not in ("vjp", "jvp"):
        return ""
    shapes, problem = evaluate(options, MODELS, [arguments, f"{function}({arguments})"])
    if shapes is None:
        raise RuntimeError(problem)
    count = iter(range(1, 1000))

    def like(value):
        if isinstance(value, list):
            return [like(item) for item in value]
        k = next(count)
        return 0.5 * (-1)**k * (1 + k % 5)
    wanted = shapes[:-1] if derivative == "jvp" else shapes[-1:]
    return "".join(f", {json.dumps(like(value))}" for value in wanted)


def in_rows(arguments):
    """Arrays as emitted C++ takes them, one element after the other."""
    values = json.loads(f"[{arguments}]")
    return ", ".join(json.dumps(flat(value)) if isinstance(value, list) else repr(value) for value in values)


def check_round_trips(options, tally, folder):
    """Dini -> C++ -> Dini: the emitted C++, annotated, is imported, and differentiated again."""
    for function, arguments, derivatives, again in ROUND_TRIPS:
        for derivative in derivatives:
            name = f"{function}_{derivative}" if derivative else function
            call = f"{derivative}({function})" if derivative else function
            command = [options.dini, "emit", MODELS, "--as", "cpp", "--fn", function]
            text = run(command + (["--derivative", derivative] if derivative else []))
            path = folder / f"{name}.cpp"
            path.write_text(re.sub(rf"^inline (.*\b{name}\()", r'[[clang::annotate("dini")]] inline \1', text.stdout, flags=re.M))
            values = arguments + seeds(function, derivative, arguments, options)
            jacobian_too = again and not derivative
            expected, problem = evaluate(options, MODELS, [f"{call}({values})", *([f"jac({function})({arguments})"] if jacobian_too else [])])
            found, wrong = evaluate(options, path, [f"{name}({in_rows(values)})", *([f"jac({name})({in_rows(arguments)})"] if jacobian_too else [])])
            good = not text.returncode and expected and found
            tally.add(f"round trip of {name}({arguments})", close(flat(found), flat(expected), 1e-11 if jacobian_too else 1e-13) if good else f"{text.stderr}{problem}{wrong}")


def check_objection(options, tally, folder):
    """What Clang objects to in emitted C++ is reported at the Dini line, and nothing is written."""
    path = folder / "main.dini"
    path.write_text("fn main(x: real) -> real = 2*x\n")
    done = run([options.dini, "emit", path, "--as", "cpp"])
    good = done.returncode == 2 and not done.stdout and "declared inline" in done.stderr and "main.dini:1:4" in done.stderr
    tally.add("emitted C++ that Clang objects to", "" if good else f"status {done.returncode}\n{done.stderr}{done.stdout}")


def check_way_back(options, tally, folder):
    """C++ -> Dini source: what `emit --as dini` writes of an imported function gives its values."""
    known = {"n": lambda arguments: [a.split()[1] for a in arguments if a.split()[0] == "n"]}
    seen = set()
    for function, arguments in CASES:
        sizes = known["n"](arguments)
        if function in seen:
            continue
        seen.add(function)
        dims = ["--dims", f"n={sizes[0]}"] if sizes else ["--dims", "x_size=4"] if function == "maxq" else ["--dims", "x_size=3"] if function == "bard" else []
        done = run([options.dini, "emit", FOLDER / "problems.cpp", "--as", "dini", "--fn", function, *dims])
        if done.returncode:
            tally.add(f"emit --as dini {function}", done.stderr)
            continue
        path = folder / f"{function}.dini"
        path.write_text(done.stdout)
        values = dini_arguments([a for a in arguments if a.split()[0] != "n"])
        expected, problem = evaluate(options, FOLDER / "problems.cpp", [f"{function}({dini_arguments(arguments)})"])
        found, wrong = evaluate(options, path, [f"{function}({values})"])
        tally.add(f"emit --as dini {function}", close(flat(found), flat(expected), 1e-13) if found and expected else f"{problem}{wrong}")


def check(tally, options):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if not options.filter or options.filter in "problems.cpp":
            check_values(options, tally, folder, FOLDER / "problems.cpp", "import")
            check_derivatives(options, tally, folder, FOLDER / "problems.cpp", "import")
            check_way_back(options, tally, folder)
        if options.filter in "round trips":
            check_round_trips(options, tally, folder)
            check_objection(options, tally, folder)
        if not options.filter or options.filter in "language.cpp":
            check_run_time(tally, options)
    check_refused(options, tally)
