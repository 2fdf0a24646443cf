#!/usr/bin/env python3
"""The dependency rule: a folder of compiler/ includes only headers of folders that its DEPS reach
(compiler/*/CMakeLists.txt), LLVM appears only in codegen, jit and clang_frontend, Clang only in clang_frontend,
and the runtime includes nothing of the compiler. Prints each violation; exit status 1 if any."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)
LIBRARY = re.compile(r"dini_library\((\w+)(?:\s+DEPS\s+((?:[\w ]|\n)*?))?(?:\s*LINK[^)]*)?\)")
LLVM_FOLDERS = {"codegen", "jit", "clang_frontend"}  # strings and files of Clang are LLVM's
CLANG_FOLDERS = {"clang_frontend"}


def declared():
    """folder -> folders it names in DEPS (without what they reach)"""
    deps = {}
    for cmake in sorted((ROOT / "compiler").glob("*/CMakeLists.txt")):
        match = LIBRARY.search(cmake.read_text())
        if match:
            deps[match[1]] = set((match[2] or "").split())
    return deps


def reach(deps, folder, seen=None):
    seen = set() if seen is None else seen
    if folder not in seen:
        seen.add(folder)
        for dep in deps.get(folder, ()):
            reach(deps, dep, seen)
    return seen


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in {".h", ".cpp", ".c", ".def"})


def violations():
    deps = declared()
    for folder in sorted(deps):
        allowed = reach(deps, folder)
        for path in sources(ROOT / "compiler" / folder):
            for include in INCLUDE.findall(path.read_text(errors="replace")):
                top = include.split("/")[0]
                where = path.relative_to(ROOT)
                if top in deps and top not in allowed:
                    yield f"{where}: includes {include}, but {folder} does not depend on {top}"
                if top in {"llvm", "llvm-c"} and folder not in LLVM_FOLDERS:
                    yield f"{where}: includes {include}; LLVM belongs to {sorted(LLVM_FOLDERS)}"
                if top in {"clang", "clang-c"} and folder not in CLANG_FOLDERS:
                    yield f"{where}: includes {include}; Clang belongs to {sorted(CLANG_FOLDERS)}"
    for path in sources(ROOT / "runtime"):
        for include in INCLUDE.findall(path.read_text(errors="replace")):
            if include.split("/")[0] in deps:
                yield f"{path.relative_to(ROOT)}: includes {include} of the compiler"


if __name__ == "__main__":
    found = list(violations())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
