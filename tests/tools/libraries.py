"""Programs that call compiled libraries: every tests/libraries/*.c and *.cpp. Its first lines say
how: each `// build: ARGUMENTS` is a call of `dini build` whose library it is linked with, each
`// compile: FLAGS` a way to compile it (the first also with the shared library). It passes if it ends with status 0; besides, no shared
library may need more than the C library and its mathematics."""
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/libraries"
ALLOWED = re.compile(r"^(linux-vdso|libc|libm|libmvec|ld-linux[\w-]*|/lib.*/ld-linux[\w.-]*)\.so")


def finished(command, cwd=None):
    """The problem, or nothing."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300)
    if done.returncode == 0:
        return ""
    return f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-3000:]}\nstatus {done.returncode}"


def needs_too_much(library):
    listed = subprocess.run(["ldd", str(library)], capture_output=True, text=True).stdout
    extra = [line.split()[0] for line in listed.splitlines()
             if line.strip() and not ALLOWED.match(line.split()[0])]
    return f"{library.name} needs {', '.join(extra)}" if extra else ""


def check(tally, dini, source, scratch):
    text = source.read_text()
    for build in re.findall(r"^// build: (.*)$", text, re.M):
        shutil.rmtree(scratch / "out", ignore_errors=True)
        model, *arguments = build.split()
        name = pathlib.Path(model).stem
        problem = finished([str(dini), "build", model, "-o", str(scratch / "out"), *arguments],
                           cwd=FOLDER)
        problem = problem or needs_too_much(scratch / f"out/lib/lib{name}.so")
        tally.add(f"dini build {build}", problem)
        if problem:
            continue
        compiler = "clang-19" if source.suffix == ".c" else "clang++-19"
        for flags in re.findall(r"^// compile: (.*)$", text, re.M):
            program = scratch / "program"
            command = [compiler, *flags.split(), "-O1", "-g", "-Wall", "-Wextra", "-Werror",
                       f"-I{scratch}/out/include", str(source), str(scratch / f"out/lib/lib{name}.a"),
                       "-lmvec", "-lm", "-lpthread", "-o", str(program)]
            problem = finished(command) or finished([str(program)])
            tally.add(f"{source.name}: {build}: {flags}", problem)
        # The same program with the shared library, which brings what it needs.
        flags = re.search(r"^// compile: (.*)$", text, re.M)[1].split()
        problem = finished([compiler, *flags, f"-I{scratch}/out/include", str(source), f"-L{scratch}/out/lib", f"-l{name}",
                            "-lm", "-lpthread", f"-Wl,-rpath,{scratch}/out/lib", "-o", str(scratch / "shared")])
        tally.add(f"{source.name}: {build}: shared", problem or finished([str(scratch / "shared")]))


def check_cmake(tally, dini, scratch):
    """runtime/cmake/dini.cmake: the C example is built, run, and built again, once, when its model changed."""
    project, made = scratch / "project", scratch / "made"
    shutil.copytree(ROOT / "dsl-examples/embed-c", project)
    lists = project / "CMakeLists.txt"
    lists.write_text(lists.read_text().replace("${CMAKE_CURRENT_SOURCE_DIR}/../..", str(ROOT)))
    configure = ["cmake", "-S", str(project), "-B", str(made), "-G", "Ninja",
                 f"-DDINI_EXECUTABLE={dini}", "-DCMAKE_C_COMPILER=clang-19"]
    problem = finished(configure) or finished(["cmake", "--build", str(made)])
    tally.add("dini_add_library", problem or finished([str(made / "gas")]))
    model = project / "embed_c.dini"
    model.write_text(model.read_text().replace("== 1 }", "== 2 }"))
    first = subprocess.run([str(made / "gas")], capture_output=True, text=True).stdout
    problem = finished(["cmake", "--build", str(made)])
    idle = subprocess.run(["cmake", "--build", str(made)], capture_output=True, text=True).stdout
    if not problem and "no work to do" not in idle:
        problem = f"one build after a change of the model leaves work to do\n{idle[-2000:]}"
    again = subprocess.run([str(made / "gas")], capture_output=True, text=True).stdout
    tally.add("dini_add_library after a change", problem or ("" if again != first else
                                                             "the library was not made again"))


def check_project(tally, dini, scratch):
    """A model in two files with derivatives in steps: a change of either, and of neither, is seen."""
    project, made = scratch / "project", scratch / "made"
    shutil.copytree(FOLDER / "project", project)
    lists = project / "CMakeLists.txt"
    lists.write_text(lists.read_text().replace("${CMAKE_CURRENT_SOURCE_DIR}/../../..", str(ROOT)))
    configure = ["cmake", "-S", str(project), "-B", str(made), "-G", "Ninja",
                 f"-DDINI_EXECUTABLE={dini}", "-DCMAKE_CXX_COMPILER=clang++-19"]
    problem = finished(configure)
    results = []
    for file, old, new in (("", "", ""), ("law.dini", "x^3", "2*x^3"), ("spring.dini", "== load[i]", "== 2*load[i]")):
        if file:
            path = project / file
            path.write_text(path.read_text().replace(old, new))
        problem = problem or finished(["cmake", "--build", str(made)]) or finished([str(made / "project")])
        shown = subprocess.run([str(made / "project")], capture_output=True, text=True).stdout if not problem else ""
        if not problem and shown in results:
            problem = f"a change of {file} did not reach the library: {shown}"
        results.append(shown)
        tally.add(f"dini_add_library in steps, {file or 'at first'}", problem)
    idle = subprocess.run(["cmake", "--build", str(made)], capture_output=True, text=True).stdout
    tally.add("dini_add_library without a change", "" if "no work to do" in idle else idle)


def run(tally, options):
    if options.filter in "dini.cmake":
        for check_one in (check_cmake, check_project):
            with tempfile.TemporaryDirectory() as scratch:
                check_one(tally, options.dini, pathlib.Path(scratch))
    sources = sorted([*FOLDER.glob("*.c"), *FOLDER.glob("*.cpp")])
    for source in sources:
        if options.filter in source.name:
            with tempfile.TemporaryDirectory() as scratch:
                check(tally, options.dini, source, pathlib.Path(scratch))
