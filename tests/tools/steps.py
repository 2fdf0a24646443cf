"""Value and derivatives around a tape, of every function of tests/programs: `dini build --derivative
split,vjp,jvp`, then f_fwd, f_bwd and f_tan of the shared library against f_vjp and f_jvp, to the last
bit, at arguments on kinks and off them (but for the sign of zeros: the steps always run the variant
with the probe of ties, which may add a zero of the other sign). Shapes are read from the C header. A function that cannot be
built is refused with a diagnostic; of its file every third function is then built by itself (each costs a link)."""
import ctypes
import pathlib
import random
import re
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"/\* (.*?)\*/\n((?:(?:int|size_t) (\w+)\((?:[^;]*)\);\n)+)", re.S)
LEAF = re.compile(r"^ \* (in|out|out_bar|in_bar|in_dot|out_dot)\[\d+\]: (\w+) (\w+)((?:\[.*\])?)$", re.M)
C_TYPES = {"double": ctypes.c_double, "int64_t": ctypes.c_int64, "uint8_t": ctypes.c_uint8}
INTERRUPTED, MEMORY = 10, 11
SAMPLES = 6
# Derivatives by iterations, which depend on the seed: their status is that of the step with the seed, and
# they agree to their tolerance.
ITERATED = {("krylov.dini", None), ("sparse_jacobians.dini", "krylov_chain")}
ITERATION = 1e-8
# The last bit, at a tie of `locked` only: with --ties=first the two are the same bit for bit.
LAST_BIT = {("locked_shapes.dini", "matrix"): 1e-15}
SECONDS = 1  # for a call; endless loops are cancelled


class Info(ctypes.Structure):  # dini_info
    _fields_ = [("cancel", ctypes.c_void_p), ("work_bytes", ctypes.c_size_t),
                ("tape_bytes", ctypes.c_size_t), ("member_status", ctypes.c_void_p),
                ("members", ctypes.c_int64), ("status", ctypes.c_int), ("failed", ctypes.c_int64),
                ("file", ctypes.c_char_p), ("line", ctypes.c_int64), ("column", ctypes.c_int64),
                ("text", ctypes.c_char_p), ("batch_index", ctypes.c_int64),
                ("iterations", ctypes.c_int64), ("residual", ctypes.c_double),
                ("scale", ctypes.c_double), ("tolerance", ctypes.c_double),
                ("needed_bytes", ctypes.c_size_t), ("tie", ctypes.c_int64), ("ties", ctypes.c_int64),
                ("rcond", ctypes.c_double)]


class Leaf:
    def __init__(self, kind, c_type, name, shape):
        self.is_input = kind in ("in", "in_dot", "out_bar")
        self.type, self.name = C_TYPES[c_type], name
        self.dims = re.findall(r"\[(.*?)\]", shape)

    def make(self, sizes, value):
        count = 1
        for dim in self.dims:
            count *= max(eval(dim, {}, sizes), 0)  # a polynomial in size names
        array = (self.type * max(count, 1))()
        for k in range(count):
            array[k] = value(self.type)
        return array


class Function:
    """One block of the header."""

    def __init__(self, library, text, symbol):
        self.call = getattr(library, symbol)
        self.call.restype = ctypes.c_int
        self.bytes = getattr(library, symbol + "_work_bytes")
        self.bytes.restype = ctypes.c_size_t
        self.leaves = [Leaf(*found) for found in LEAF.findall(text)]
        self.sizes = re.findall(r"\[\d+\] (\w+)", (re.search(r"^ \* sizes:(.*)$", text, re.M) or [""])[0])

    def run(self, given, sizes, tape_in=None, tape_out=None):
        """Status and results. `given`: leaf name -> array; tape_in: its bytes; tape_out: (size function)."""
        values = [sizes[name] for name in self.sizes]
        size_array = (ctypes.c_int64 * max(len(values), 1))(*values)
        ins = [given[leaf.name] for leaf in self.leaves if leaf.is_input]
        outs = [leaf.make(sizes, lambda _: 0) for leaf in self.leaves if not leaf.is_input]
        pointers = lambda arrays: (ctypes.c_void_p * max(len(arrays), 1))(*map(ctypes.addressof, arrays))
        cancel, info = ctypes.c_uint8(0), Info()
        timer = threading.Timer(SECONDS, lambda: setattr(cancel, "value", 1))
        info.cancel = ctypes.addressof(cancel)
        work_bytes = self.bytes(size_array)
        tape = tape_in if tape_in is not None else (ctypes.c_double * (tape_out(size_array) // 8 + 1))() \
            if tape_out else None
        timer.start()
        while True:
            work = (ctypes.c_char * work_bytes)()
            info.work_bytes = work_bytes
            info.tape_bytes = ctypes.sizeof(tape) if tape is not None else 0
            arguments = [pointers(ins), pointers(outs), size_array]
            if tape_in is not None:
                arguments.insert(0, tape)
            if tape_out is not None:
                arguments.append(tape)
            status = self.call(*arguments, work, ctypes.byref(info))
            if status != MEMORY or work_bytes > 1 << 30:
                break
            if info.needed_bytes > 0:
                tape = (ctypes.c_double * (info.needed_bytes // 8 + 1))()
            else:
                work_bytes *= 4
        timer.cancel()
        return status, outs, tape


def sample(chance):
    def value(c_type):
        if c_type is ctypes.c_double:
            return chance.choice([0.0, 1.0, -1.0, 0.5, 2.0, chance.uniform(-2, 2), chance.uniform(0.1, 3)])
        return chance.randint(0, 1) if c_type is ctypes.c_uint8 else chance.randint(0, 3)
    return value


def same(left, right, tolerance):
    for a, b in zip(left, right):
        if tolerance and all(abs(x - y) <= tolerance * (1 + abs(x)) for x, y in zip(a, b)):
            continue
        if bytes(a) != bytes(b) and any(
                x != y and (x == x or y == y) for x, y in zip(a, b)):
            return False
    return True


class Program:
    """The functions of a built library, and what was found of them."""

    def __init__(self, folder, name):
        library = ctypes.CDLL(str(folder / f"lib/lib{name}.so"))
        header = (folder / f"include/{name}.h").read_text()
        self.forms = {}
        for found in BLOCK.finditer(header):
            symbol = re.match(r"int (\w+)\(", found[2])[1]
            self.forms[symbol] = Function(library, found[1], symbol)
        self.library = library
        self.names = sorted(s[:-4] for s in self.forms if s.endswith("_fwd") and s[:-4] + "_vjp" in self.forms)

    def compare(self, name, chance, tolerance, by_iterations):
        """The problem at one sample, and whether all calls succeeded."""
        form = lambda step: self.forms[f"{name}_{step}"]
        tape_bytes = getattr(self.library, name + "_tape_bytes")
        tape_bytes.restype = ctypes.c_size_t
        sizes = {size: chance.choice([2, 3]) for size in self.forms[name].sizes}
        given = {}
        for step in ("jvp", "vjp", "tan", "bwd"):
            for leaf in form(step).leaves:
                if leaf.is_input and leaf.name not in given:
                    given[leaf.name] = leaf.make(sizes, sample(chance))
        status, pushed, _ = form("jvp").run(given, sizes)
        other, pulled, _ = form("vjp").run(given, sizes)
        first, value, tape = form("fwd").run(given, sizes, tape_out=tape_bytes)
        where = f"sizes {sizes}, arguments { {k: list(v) for k, v in given.items()} }"
        if INTERRUPTED in (status, other, first):
            return "", False
        iterated = by_iterations and first == 0 and (status != 0 or other != 0)
        if not iterated and (status == 0 and other == 0) != (first == 0):
            return f"{name}: jvp ends with {status}, vjp with {other}, fwd with {first}; {where}", False
        if first != 0:
            return "", False
        ended, tangent, _ = form("tan").run(given, sizes, tape_in=tape)
        back, cotangents, _ = form("bwd").run(given, sizes, tape_in=tape)
        if iterated:
            given_up = (status != 0) == (ended != 0) and (other != 0) == (back != 0)
            return "" if given_up else f"{name}: {status}, {other} in one call, {ended}, {back} in steps; {where}", False
        if ended or back:
            return f"{name}: tan ends with {ended}, bwd with {back}; {where}", False
        if not same(pushed, value + tangent, tolerance):
            return f"{name}: {[*map(list, pushed)]} by jvp, {[*map(list, value + tangent)]} in steps; {where}", False
        if not same(pulled, cotangents, tolerance):
            return f"{name}: {[*map(list, pulled)]} by vjp, {[*map(list, cotangents)]} in steps; {where}", False
        return "", True


def build(dini, path, folder, arguments):
    done = subprocess.run([str(dini), "build", str(path), "-O0", "-o", str(folder), "--prefix", "p_",
                           "--derivative", "split,vjp,jvp", "--name", folder.name, *arguments],
                          capture_output=True, text=True, timeout=300)
    return done.returncode, done.stderr


def programs_of(tally, dini, path, scratch):
    """The libraries of a file: one, or one per function where a function is refused."""
    code, _ = build(dini, path, scratch / "whole", [])
    if code == 0:
        return [Program(scratch / "whole", "whole")]
    found = []
    for k, name in enumerate(re.findall(r"^fn (\w+)", path.read_text(), re.M)[::3]):
        code, told = build(dini, path, scratch / f"one{k}", ["--fn", name])
        if code == 0:
            found.append(Program(scratch / f"one{k}", f"one{k}"))
        elif code not in (1, 2) or "error[E" not in told:
            tally.add(f"dini build {path.name} --fn {name}", f"status {code}\n{told[-2000:]}")
    return found


def run(tally, options):
    for path in sorted((ROOT / "tests/programs").glob("*.dini")):
        if options.filter not in path.name:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            for program in programs_of(tally, options.dini, path, pathlib.Path(scratch)):
                for name in program.names:
                    chance = random.Random(f"{path.name} {name}")
                    by_iterations = not ITERATED.isdisjoint({(path.name, None), (path.name, name.removeprefix("p_"))})
                    tolerance = ITERATION if by_iterations else LAST_BIT.get((path.name, name.removeprefix("p_")), 0)
                    problem = next(filter(None, (program.compare(name, chance, tolerance, by_iterations)[0]
                                                 for _ in range(SAMPLES))), "")
                    tally.add(f"{path.name}: {name} in steps", problem)
