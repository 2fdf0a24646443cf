"""The REPL in a terminal: keys go through a pseudo-terminal, what it shows comes back. Each check is
a function that gets a fresh session; run_tests.py counts them."""
import os
import pty
import re
import select
import signal
import tempfile
import time

PROMPT = "dini> "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r|\x07|\x08")


class Terminal:
    """A `dini repl` whose keyboard and screen are ours."""

    def __init__(self, dini, *arguments):
        self.home = tempfile.TemporaryDirectory()
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(HOME=self.home.name, TERM="xterm", LC_ALL="C.UTF-8")
            os.environ.pop("XDG_STATE_HOME", None)
            os.execv(str(dini), [str(dini), "repl", *arguments])
        self.expect(PROMPT)

    def keys(self, text):
        os.write(self.fd, text.encode())

    def expect(self, text, timeout=20):
        """Everything shown up to and with `text`, escape sequences removed."""
        end = time.monotonic() + timeout
        while text not in self.text:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"`{text}` was not shown; the screen has:\n{self.text}")
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                raise AssertionError(f"the session ended before `{text}`:\n{self.text}") from None
            self.text = ESCAPES.sub("", self.text + data.decode(errors="replace"))
        shown, self.text = self.text.split(text, 1)
        return shown + text

    def answer(self, line, timeout=20):
        """What a line makes it show before the next prompt, without the line itself."""
        self.keys(line + "\n")
        shown = self.expect("\n" + PROMPT, timeout)[: -len(PROMPT)]
        # Echoed once by the editor, and before by the terminal if the keys came too early.
        return re.sub(rf"^(\s*{re.escape(line)}\s*\n)+", "", shown).strip("\n")

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
        self.home.cleanup()


def same(got, want):
    assert got == want, f"shown: {got!r} instead of {want!r}"


def holds(got, part):
    assert part in got, f"shown: {got!r} without {part!r}"


def check_values(t):
    same(t.answer("1 + 2"), "3")
    same(t.answer("let a = [1.0, 2.0]"), "")
    same(t.answer("2*a"), "[2, 4]")
    same(t.answer("var k = 1"), "")
    same(t.answer("k += 4"), "")
    same(t.answer("k"), "5")
    same(t.answer('print "k is", k'), "k is 5")


def check_commands(t):
    holds(t.answer(":help"), ":type EXPR")
    same(t.answer(":type [1.0, 2.0]"), "real[2]")
    holds(t.answer(":ir sin(1.0)"), "sin")
    holds(t.answer(":time 1 + 1"), " ms")
    holds(t.answer(":nonsense"), "E0703")
    script = os.path.join(t.home.name, "s.dini")
    with open(script, "w") as out:
        out.write("fn double(x: real) -> real = 2*x\nlet here = double(4.0)\n")
    same(t.answer(f":load {script}"), "")
    same(t.answer("double(here)"), "16")
    t.keys(":quit\n")
    _, status = os.waitpid(t.pid, 0)
    same(os.waitstatus_to_exitcode(status), 0)
    t.pid, t.fd = _respawn(t)


def _respawn(t):
    """A finished session leaves a sleeping child for close() to end."""
    os.close(t.fd)
    pid, fd = pty.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    return pid, fd


def check_several_lines(t):
    t.keys("fn f(x: real) -> real = {\n")
    t.expect("  ... ")
    t.keys("let y = x^2\n")
    t.expect("  ... ")
    same(t.answer("y + 1 }"), "")
    same(t.answer("f(3.0)"), "10")


def check_wrong_line_inside(t):
    t.keys("fn g(x: real) -> real = {\n")
    t.expect("  ... ")
    t.keys("let y = nonsense(x)\n")
    t.expect("  ... ")
    holds(t.answer("y }"), "E0201")
    same(t.answer("1 + 1"), "2")


def check_redefinition(t):
    same(t.answer("fn h(x: real) -> real = x + 1"), "")
    same(t.answer("fn twice(x: real) -> real = h(h(x))"), "")
    same(t.answer("twice(1.0)"), "3")
    same(t.answer("fn h(x: real) -> real = 10*x"), "")
    same(t.answer("h(1.0)"), "10")
    same(t.answer("let v = 1"), "")
    same(t.answer("let v = [1.0, 2.0]"), "")
    same(t.answer("v"), "[1, 2]")


def check_interrupt(t):
    same(t.answer("var n = 0"), "")
    t.keys("while true { n = mod(n + 1, 1000) }\n")
    time.sleep(0.5)
    t.keys("\x03")
    holds(t.expect("\n" + PROMPT), "E0610")
    same(t.answer("1 + 1"), "2")
    t.keys("fn unfinished(x: real) -> real = {\n")
    t.expect("  ... ")
    t.keys("\x03")
    t.expect(PROMPT)
    same(t.answer("2 + 2"), "4")
    t.keys("half a li\x03")
    t.expect("\n" + PROMPT)
    same(t.answer("3 + 3"), "6")


def check_completion_and_history(t):
    same(t.answer("let velocity = 2.5"), "")
    t.keys("velo\t\n")
    holds(t.expect("\n" + PROMPT), "2.5")
    t.keys("\x1b[A\n")
    holds(t.expect("\n" + PROMPT), "2.5")


def check_statuses(t):
    same(t.answer("fn r(p: real) -> real = solve z: real { z + abs(z) == p }"), "")
    holds(t.answer("r(-1.0)"), "E0601")
    same(t.answer("r(2.0)"), "1")


def check_hundred_lines(t):
    same(t.answer("var s = 0.0"), "")
    times = []
    for k in range(98):
        start = time.monotonic()
        same(t.answer(f"s += {k}"), "")
        times.append(time.monotonic() - start)
    same(t.answer("s"), str(sum(range(98))))
    median = sorted(times)[len(times) // 2]
    assert median < 0.1, f"a line took {1000 * median:.1f} ms (median)"


CHECKS = [check_values, check_commands, check_several_lines, check_wrong_line_inside,
          check_redefinition, check_interrupt, check_completion_and_history, check_statuses,
          check_hundred_lines]


def run(tally, options):
    for check in CHECKS:
        name = check.__name__.replace("check_", "repl: ").replace("_", " ")
        if options.filter not in name:
            continue
        try:
            terminal = Terminal(options.dini)
            try:
                check(terminal)
                problem = ""
            finally:
                terminal.close()
        except AssertionError as failure:
            problem = str(failure)
        tally.add(name, problem)
