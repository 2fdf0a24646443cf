"""Code blocks of the documents. A block marked `dini` in a .md file is a program: its tests and
statements must run. Words after the mark change that:

  dini fragment     not a whole program; not run
  dini E0301        must be rejected with this code
A block marked `cpp kernel.cpp` is this file for the programs of the document; one marked `cpp E0806` must be
rejected by `dini import` with this code.
A block marked `output` right after one is what the program prints, one marked `diagnostic` what
it says on stderr, where the file is called example.dini (example.cpp); --update rewrites the latter. Blocks run in
the folder of their document, so that they can name its data files."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)?([^\n]*)\n(.*?)^```\s*$", re.M | re.S)


def documents():
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))
    yield from sorted((ROOT / "dsl-examples").glob("*/README.md"))


def programs(text):
    """(line, words after `dini`, program, kind of the block that says what is expected, that block); of C++ that
    must be rejected the first word is `cpp`"""
    blocks = list(BLOCK.finditer(text))
    for k, block in enumerate(blocks):
        rejected = block[1] == "cpp" and re.search(r"E\d{4}", block[2])
        if block[1] != "dini" and not rejected:
            continue
        following = blocks[k + 1] if k + 1 < len(blocks) else None
        kind, expected = None, None
        adjacent = following and not text[block.end():following.start()].strip()
        if adjacent and following[1] in ("output", "diagnostic"):
            kind, expected = following[1], following
        yield text.count("\n", 0, block.start()) + 1, (["cpp"] if rejected else []) + block[2].split(), block[3], kind, expected


def kernels(path, text):
    """Writes the document's C++ files beside it and gives their paths."""
    written = []
    for block in BLOCK.finditer(text):
        name = block[2].strip()
        if block[1] == "cpp" and re.fullmatch(r"[\w-]+\.(cpp|h)", name):
            file = path.parent / name
            if file.exists() and file not in written:
                raise FileExistsError(file)
            file.write_text(block[3])
            written.append(file)
    return written


def problem(dini, path, words, program, kind, expected, update):
    ending = "cpp" if words[:1] == ["cpp"] else "dini"
    file = path.parent / f".block-of-{path.stem}.{ending}"
    file.write_text(program)
    try:
        def call(command):
            return subprocess.run([str(dini), command, str(file)], capture_output=True, text=True,
                                  cwd=path.parent, timeout=120, stdin=subprocess.DEVNULL)
        ran = call("import" if ending == "cpp" else "run")
        codes = [w for w in words if re.fullmatch(r"[EW]\d{4}", w)]
        if codes:
            missing = [c for c in codes if f"[{c}]" not in ran.stderr]
            if missing:
                return f"no {missing} in:\n{ran.stderr}{ran.stdout}"
            said = ran.stderr.replace(str(file), f"example.{ending}")
            if kind != "diagnostic" or said.strip() == expected[3].strip():
                return ""
            if update:
                path.write_text(path.read_text().replace(expected[3], said.rstrip("\n") + "\n"))
                return ""
            return f"said:\n{said}instead of:\n{expected[3]}"
        if ran.returncode:
            return f"dini run: status {ran.returncode}\n{ran.stderr}"
        if kind == "output" and ran.stdout.strip() != expected[3].strip():
            return f"printed:\n{ran.stdout}instead of:\n{expected[3]}"
        if re.search(r'^test "', program, re.M):
            tested = call("test")
            if tested.returncode:
                return f"dini test: status {tested.returncode}\n{tested.stderr}{tested.stdout}"
        return ""
    except subprocess.TimeoutExpired:
        return "no end after 120 s"
    finally:
        file.unlink()


def run(tally, options):
    for path in documents():
        if not path.is_file() or options.filter not in path.name:
            continue
        written = kernels(path, path.read_text())
        try:
            for line, words, program, kind, expected in programs(path.read_text()):
                if "fragment" not in words:
                    tally.add(f"{path.relative_to(ROOT)}:{line}",
                              problem(options.dini, path, words, program, kind, expected,
                                      options.update))
        finally:
            for file in written:
                file.unlink()
