"""Every function of tests/programs as source text: its value, vjp and jvp are emitted as C++ (one file per program,
compiled by clang++ and g++) and as Dini, and called with random arguments and with whole numbers, where ties are,
beside the library that `dini build` makes of the program. Both end in a status or both do not; numbers agree to 1e-13
of the largest one of a result, times the condition of the linear systems solved on the way. What has no spelling is
listed in emitted_refusals.py and must be refused in those words. Compiled texts are kept in build/emitted."""
import concurrent.futures
import ctypes
import hashlib
import math
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import typing

from emitted_refusals import REFUSALS
from steps import Info

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = ROOT / "build/emitted"
HEADERS = ROOT / "runtime/include"
COMPILERS = ("clang++-19", "g++")
# -O0: a program is tens of thousands of lines. tests/emitted is compiled with -O1 (emitted.py).
FLAGS = ["-std=c++20", "-O0", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-fwrapv", "-fPIC", "-shared",
         f"-I{HEADERS}"]
FORMS = ("", "vjp", "jvp")
SIZE = 3  # every size name
UNKNOWN_CONDITION = 1e8  # of a value whose derivative is a status
# Where no derivative tells how far rounding errors spread: `difference` divides solutions' differences by a step; in
# `group_start` a `stop` hides the system, whose condition is 1.2e3 to 4.8e3, or which is singular. Less is granted.
AMPLIFIED = {"difference": 1e5, "group_start": 1e2}
UNDIFFERENTIABLE = {"sizes": ("wide",)}  # where a derivative is E0903
PRECISE = {"to"}  # with the tolerance 0 the last bit of `exp` decides: numbers between only
ENDLESS = {"mine"}  # a `while` of the program's own that converges for chosen arguments only
C_TYPES = {"double": ctypes.c_double, "int64_t": ctypes.c_int64, "uint8_t": ctypes.c_uint8}


class Leaf(typing.NamedTuple):
    kind: str  # of C
    name: str
    dims: list

    @property
    def count(self):
        return math.prod(self.dims)


def run(command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600)


def pointers(leaves):
    return (ctypes.c_void_p * max(1, len(leaves)))(*[ctypes.cast(leaf, ctypes.c_void_p) for leaf in leaves])


def blanks(leaves):
    return [(C_TYPES[leaf.kind] * max(1, leaf.count))() for leaf in leaves]


class Library:
    """Functions of a library that `dini build` made: their leaves, as the header tells, and calls."""

    def __init__(self, folder, name):
        self.code = ctypes.CDLL(str(folder / f"lib/lib{name}.so"))
        self.functions = {}
        header = (folder / f"include/{name}.h").read_text()
        for text, function in re.findall(r"/\* [^\n]*\n((?:(?!\*/).)*)\*/\nint q_(\w+)\(", header, re.S):
            if "nnz_" in text or base(function) in ENDLESS:  # random arguments are no pattern of a sparse matrix
                continue
            leaves = {"in": [], "out": []}
            for side, kind, leaf, dims in re.findall(r"^ \* (in|out)\[\d+\]: (\w+) (\w+)(.*)", text, re.M):
                leaves[side].append(Leaf(kind, leaf, [int(dim) for dim in re.findall(r"\[([^]]+)\]", dims)]))
            self.functions[function] = leaves

    def call(self, function, arguments):
        """The status, the results, the smallest reciprocal condition."""
        symbol = f"q_{function}"
        bytes_of = getattr(self.code, symbol + "_work_bytes")
        bytes_of.restype, bytes_of.argtypes = ctypes.c_size_t, [ctypes.c_void_p]
        size = bytes_of(None) + (1 << 20)
        info = Info(work_bytes=size)
        results = blanks(self.functions[function]["out"])
        status = getattr(self.code, symbol)(pointers(arguments), pointers(results), None,
                                            ctypes.create_string_buffer(size), ctypes.byref(info))
        return status, results, info.rcond


def sample(leaves, whole, rng):
    made = blanks(leaves)
    for leaf, values in zip(leaves, made):
        for k in range(leaf.count):
            if leaf.kind == "double":
                values[k] = float(rng.randint(-1, 2)) if whole else rng.uniform(0.2, 1.4)
            else:
                values[k] = rng.randint(0, 2) if leaf.kind == "int64_t" else rng.randint(0, 1)
    return made


# --- C++

PUT = """
#include <cstring>
[[maybe_unused]] static void put(void* out, double x) { std::memcpy(out, &x, 8); }
[[maybe_unused]] static void put(void* out, std::int64_t x) { std::memcpy(out, &x, 8); }
[[maybe_unused]] static void put(void* out, bool x) { *static_cast<unsigned char*>(out) = x; }
template <class T> [[maybe_unused]] static void put(void* out, const ds::array<T>& x) {
  std::memcpy(out, x.data(), static_cast<std::size_t>(x.size()) * sizeof(*x.data()));
}
"""


def cpp_wrapper(text, function, leaves):
    """extern "C" w_f(in, out) that calls the emitted f."""
    signature = re.search(rf"^inline\s+\S+\s+{function}\(([^{{]*)\) {{", text, re.M).group(1)
    parameters = [p for p in " ".join(signature.split()).split(", ") if p]
    if len(parameters) != len(leaves["in"]):
        return None
    given = []
    for k, (leaf, parameter) in enumerate(zip(leaves["in"], parameters)):
        element = re.match(r".*std::span<const ([^>]*)>", parameter)
        if "ds::reals&" in parameter:
            given.append(f"ds::reals({{{', '.join(map(str, leaf.dims))}}}, {{static_cast<const double*>(in[{k}]), {leaf.count}}})")
        elif element:
            given.append(f"{{static_cast<const {element.group(1)}*>(in[{k}]), {leaf.count}}}")
        elif leaf.kind == "uint8_t":
            given.append(f"*static_cast<const unsigned char*>(in[{k}]) != 0")
        else:
            given.append(f"*static_cast<const {leaf.kind}*>(in[{k}])".replace("int64_t", "std::int64_t"))
    fields = re.search(rf"struct {function}_result {{\n(.*?)}};", text, re.S)
    names = re.findall(r"(\w+)(?: = [^;]*)?;", fields.group(1)) if fields else [None]
    puts = " ".join(f"put(out[{k}], r{'.' + name if name else ''});" for k, name in enumerate(names))
    return (f'extern "C" int w_{function}(const void* const* in, void* const* out) {{\n  (void)in;\n'
            f"  try {{ const auto r = {function}({', '.join(given)}); {puts} return 0; }}\n"
            f"  catch (const ds::error& ended) {{ return static_cast<int>(ended.code); }}\n}}\n")


def compiled(compiler, text):
    """The shared library of a C++ text, from build/emitted where it stands there already, or the problem."""
    key = hashlib.sha256(" ".join([compiler, *FLAGS, text]).encode())
    for header in sorted(HEADERS.rglob("*.*")):
        key.update(header.read_bytes())
    made = KEPT / f"{key.hexdigest()[:24]}.so"
    if made.exists():
        made.touch()
        return made, ""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "emitted.cpp"
        source.write_text(text)
        done = run([compiler, *FLAGS, source, "-o", folder + "/made.so"])
        if done.returncode:
            return None, done.stderr[:3000]
        shutil.copy(folder + "/made.so", made.with_suffix(".new"))
        made.with_suffix(".new").rename(made)
    return made, ""


# --- comparison

def difference(found, expected, leaves, condition):
    for leaf, ours, theirs in zip(leaves, found, expected):
        values = [theirs[k] for k in range(leaf.count)]
        if leaf.kind != "double":
            if any(ours[k] != value for k, value in enumerate(values)):
                return f"{leaf.name} differs"
            continue
        size = max([abs(x) for x in values if abs(x) < float("inf")] + [1.0])
        limit = 1e-13 * size * condition
        for k, value in enumerate(values):
            if not (ours[k] == value or (ours[k] != ours[k] and value != value) or abs(ours[k] - value) <= limit):
                return f"{leaf.name}, element {k}: {ours[k]!r}, the library gives {value!r} (condition {condition:.1e})"
    return ""


def dini_value(leaf, values):
    """A literal of the leaf's shape."""
    spell = {"double": lambda x: repr(float(x)), "int64_t": lambda x: str(int(x)), "uint8_t": lambda x: "true" if x else "false"}[leaf.kind]
    if leaf.count == 0:
        return f"zeros({', '.join(map(str, leaf.dims))})"
    items = [spell(values[k]) for k in range(leaf.count)]
    for dim in reversed(leaf.dims):
        items = [f"[{', '.join(items[k:k + dim])}]" for k in range(0, len(items), dim)]
    return items[0]


def base(function):
    return re.sub("_(vjp|jvp)$", "", function)


def names_in_sizes(types):
    return set(re.findall(r"[A-Za-z]\w*", " ".join(re.findall(r"\b(?:real|int|bool|sparse)\[([^]]*)\]", types))))


def size_names(text):
    """The size names of the functions that a library can have: none of their parameters is a function, and the sizes of
    a result are made of those of the parameters and of the parameters themselves."""
    found = set()
    for parameters, result in re.findall(r"^(?:@[^\n]* )?fn \w+\(((?:[^()]|\([^()]*\))*)\)(?:\s*->\s*([^={]*))?", text, re.M):
        known = names_in_sizes(parameters) | set(re.findall(r"(\w+)\s*:", parameters))
        if not re.search(r":\s*fn\b", parameters) and names_in_sizes(result) <= known:
            found |= names_in_sizes(parameters) | names_in_sizes(result)
    return found


class Program:
    """A program, the library made of it, and its two texts."""

    def __init__(self, options, path, scratch):
        self.options, self.path, self.scratch = options, path, scratch
        names = size_names(path.read_text())
        self.dims = ["--dims", ",".join(f"{name}={SIZE}" for name in sorted(names))] if names else []
        self.expected = {}  # (function, trial) -> arguments, status, results, rcond

    def build(self, source, name, extra):
        folder = self.scratch / name
        done = run([self.options.dini, "build", source, "-o", folder, "--name", name, "--prefix", "q_", "-O", "0", *extra])
        return (None, done.stderr[:3000]) if done.returncode else (Library(folder, name), "")

    def reference(self):
        chosen = []
        if without := UNDIFFERENTIABLE.get(self.path.stem):
            names = re.findall(r"^fn (\w+)\((?!f: fn)", self.path.read_text(), re.M)
            chosen = [part for name in names if name not in without for part in ("--fn", name)]
        self.library, problem = self.build(self.path, self.path.stem, ["--derivative", "vjp,jvp", *chosen, *self.dims])
        if problem:
            return problem
        for function, leaves in self.library.functions.items():
            for trial in range(4):  # a derivative begins with the arguments of its function
                seed = f"{base(function)} {trial}"
                arguments = sample(leaves["in"], trial >= 2 and base(function) not in PRECISE, random.Random(seed))
                self.expected[function, trial] = arguments, *self.library.call(function, arguments)
        return ""

    def condition(self, function, trial):
        """Of the systems solved, and how far a value moves with its arguments: both where there is a derivative."""
        value = base(function)
        worst = AMPLIFIED.get(value, 1.0)
        for form in (value, value + "_vjp", value + "_jvp"):
            if (form, trial) not in self.expected:
                continue
            _, status, results, rcond = self.expected[form, trial]
            if status and form != value:
                worst = max(worst, UNKNOWN_CONDITION)
            if rcond > 0:
                worst = max(worst, 1 / rcond)
            if form.endswith("_jvp") and not status:
                numbers = [max((abs(x) for x in leaf), default=0.0) for leaf in results]
                half = len(numbers) // 2
                worst = max([worst, *(moved / max(size, 1.0) for size, moved in zip(numbers[:half], numbers[half:]) if moved < float("inf"))])
        return worst

    def emitted(self, language):
        """The text, and what was refused: (function, reason)."""
        done = run([self.options.dini, "emit", self.path, "--as", language, "--derivative",
                    ",".join(form or "value" for form in FORMS), *self.dims])
        refused = [(name, reason) for names, reason in
                   re.findall(r"^error\[E0902\]: (`.*`) ha(?:s|ve) no spelling in \S+ source: (.*)$", done.stderr, re.M)
                   for name in re.findall(r"`(\w+)`", names)]
        refused += [("", line) for line in done.stderr.splitlines()
                    if line.startswith("error") and "no spelling in" not in line]
        if refused and done.returncode != 2:
            refused.append(("", f"refused with status {done.returncode}"))
        return done.stdout, refused

    def problems(self, function, call):
        """What differs between the library and `call(function, trial, results)`, a status."""
        leaves = self.library.functions[function]
        for trial in range(4):
            arguments, status, expected, _ = self.expected[function, trial]
            found = blanks(leaves["out"])
            ended = call(function, trial, found)
            if (status == 0) != (ended == 0):
                problem = f"status {ended}, the library gives {status}"
            else:
                problem = difference(found, expected, leaves["out"], self.condition(function, trial)) if status == 0 else ""
            if problem:
                return f"{problem}, arguments {[list(argument) for argument in arguments]}"
        return ""

    # --- tasks, run side by side; each gives (name, problem) pairs

    def cpp_text(self):
        """The text with a C function for each that the library has, and the names of these."""
        text, self.refused_cpp = self.emitted("cpp")
        text += "" if "namespace ds" in text else '#include "dini/source.hpp"\nnamespace ds = dini::source;\n'
        self.cpp_names = set(re.findall(r"^inline\s+\S+\s+(\w+)\(", text, re.M))
        self.cpp_source = text + PUT
        return []

    def check_cpp(self, compiler):
        wrapped, tested = "", []
        for function, leaves in self.library.functions.items():
            if function not in self.cpp_names:
                continue
            wrapper = cpp_wrapper(self.cpp_source, function, leaves)
            if wrapper is None:
                return [(f"cpp {function}", "it has other parameters than the library's")]
            wrapped += wrapper
            tested.append(function)
        made, problem = compiled(compiler, self.cpp_source + wrapped)
        results = [(f"{compiler} takes {self.path.name} as C++ without warnings", problem)]
        if problem:
            return results
        code = ctypes.CDLL(str(made))

        def call(function, trial, found):
            return getattr(code, "w_" + function)(pointers(self.expected[function, trial][0]), pointers(found))
        return results + [(f"{compiler} {self.path.name}: {function}", self.problems(function, call)) for function in tested]

    def check_dini(self):
        """The text as a program that prints the results of all trials of all functions; interpreted."""
        text, self.refused_dini = self.emitted("dini")
        self.dini_names = set(re.findall(r"^fn (\w+)\(", text, re.M))
        tested = [function for function in self.library.functions if function in self.dini_names]
        source = self.scratch / f"{self.path.stem}_emitted.dini"
        source.write_text(text + "".join(self.calls(function) for function in tested))
        done = run([self.options.dini, "run", source, "--engine=interp"])
        lines = [line for line in done.stdout.splitlines() if line.startswith("result ")]
        if len(lines) != 4 * len(tested):
            return [(f"{self.path.name} as Dini", f"{len(lines)} results of {4 * len(tested)}, status {done.returncode}\n{done.stderr[:3000]}")]
        printed = {(function, trial): lines[4 * k + trial] for k, function in enumerate(tested) for trial in range(4)}

        def call(function, trial, found):
            values = re.findall(r"-?(?:nan|inf|[\d.]+(?:e[-+]?\d+)?)|true|false", printed[function, trial].removeprefix("result "))
            numbers = [float({"true": 1, "false": 0}.get(value, value)) for value in values]
            for leaf, results in zip(self.library.functions[function]["out"], found):
                for k in range(leaf.count):
                    results[k] = numbers.pop(0) if leaf.kind == "double" else int(numbers.pop(0))
            return 0 if numbers == [1.0] else 1
        return [(f"dini {self.path.name}: {function}", self.problems(function, call)) for function in tested]

    def calls(self, function):
        """Statements that call the function with the arguments of each trial, and print its results and whether it had any."""
        leaves = self.library.functions[function]
        given = "".join(f"let {function}_{k} = [{', '.join(dini_value(leaf, self.expected[function, trial][0][k]) for trial in range(4))}]\n"
                        for k, leaf in enumerate(leaves["in"]))
        names = ", ".join(f"r{k}" for k in range(len(leaves["out"])))
        bound = f"({names})" if len(leaves["out"]) > 1 else names
        none = ", ".join(dini_value(leaf, [float("nan") if leaf.kind == "double" else 0] * max(1, leaf.count)) for leaf in leaves["out"])
        arguments = ", ".join(f"{function}_{k}[trial]" for k in range(len(leaves["in"])))
        return (f"{given}for trial in 0..4 {{\n  let ({names}, ended) = try {{\n    let {bound} = {function}({arguments})\n    ({names}, true)\n"
                f"  }} else ({none}, false)\n  print \"result \", {names}, \" \", ended\n}}\n")

    def check_refusals(self):
        """What is refused is known, and what is known is refused."""
        results = []
        for language, refused, names in (("cpp", self.refused_cpp, self.cpp_names), ("dini", self.refused_dini, self.dini_names)):
            expected = REFUSALS.get((language, self.path.stem), {})
            for function, reason in refused:
                known = next((words for words, functions in expected.items() if function in functions), None)
                results.append((f"emit --as {language} {self.path.name}: {function}",
                                "" if known is not None and known in reason else f"refused: {reason}"))
            seen = {function for function, _ in refused}
            for functions in expected.values():
                results += [(f"emit --as {language} {self.path.name}: {function}", "it is not refused any more: take it off the list")
                            for function in functions if function not in seen]
            results += [(f"emit --as {language} {self.path.name}: {function}", "neither emitted nor refused")
                        for function in self.library.functions if function not in names and function not in seen]
        return results


def run_all(tally, options):
    KEPT.mkdir(parents=True, exist_ok=True)
    paths = [path for path in (ROOT / "tests/programs").glob("*.dini") if options.filter in path.name]
    paths.sort(key=lambda path: (path.stem != "argmin", path.name))  # it takes longest
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        programs = [Program(options, path, pathlib.Path(folder)) for path in paths]
        texts = [pool.submit(program.cpp_text) for program in programs]
        references = [pool.submit(program.reference) for program in programs]
        jobs = []
        for program, text, reference in zip(programs, texts, references):
            text.result()
            tally.add(f"dini build {program.path.name}", reference.result())
            if not reference.result():
                tasks = [pool.submit(program.check_dini), *[pool.submit(program.check_cpp, compiler) for compiler in COMPILERS]]
                jobs.append((program, tasks))
        for program, tasks in jobs:
            for name, problem in [result for task in tasks for result in task.result()] + program.check_refusals():
                tally.add(name, problem)
    old = sorted(KEPT.glob("*.so"), key=lambda made: made.stat().st_mtime)
    for made in old[:-200]:
        made.unlink()
