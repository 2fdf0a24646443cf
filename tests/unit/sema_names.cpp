// Names: what is in scope, what hides what, suggestions, imports, redefinition, recursion.
#include <filesystem>
#include <fstream>

#include "tests/unit/sema_support.h"

using namespace dini;
using namespace dini::sema_tests;

TEST_CASE("an unknown name gets the closest one as help (E0201)") {
  CHECK(report("fn f(x: real) -> real = tahn(x)") ==
        "E0201: `tahn` is not defined | did you mean `tanh`?");
  CHECK(report("fn f(rate: real) -> real = rtae") ==
        "E0201: `rtae` is not defined | did you mean `rate`?");
  CHECK(report("fn f(x: real) -> real = zzyzx") == "E0201: `zzyzx` is not defined");
  CHECK(report("fn f(x: Real) -> real = 1.0") ==
        "E0201: there is no type `Real` | did you mean `real`?");
}

TEST_CASE("several errors in one run, one for each mistake") {
  CHECK(report("fn f(x: real) -> real = y1 + y1*2\nfn g(x: int) -> int = x + true") ==
        "E0201: `y1` is not defined\nE0201: `y1` is not defined\nE0302: `+` between int and bool | "
        "`real(b)` is 1 where b is true, and 0 elsewhere");
}

TEST_CASE("a name defined twice shows both places (E0202)") {
  auto made = checked("fn f(x: real) -> real = x\nfn f(y: real) -> real = y");
  CHECK(made->report() == "E0202: `f` is defined twice");
  CHECK(made->labels() == "`f` ; `f` first here");
  CHECK(report("let a = 1\nlet a = 2") == "E0202: `a` is defined twice");
  CHECK(report("fn f(x: real, x: real) -> real = x") == "E0202: two parameters are called `x`");
  CHECK(report("fn f(x: real) -> real { let y = x; let y = x; y }") ==
        "E0202: `y` is defined twice");
  CHECK(report("type P = { a: real, a: real }") == "E0202: the field `a` is there twice");
  CHECK(report("fn f(x: real) -> real { let y = x; if x > 0 { let y = 2.0; y } else { y } }") ==
        "");
}

TEST_CASE("a script's variable is not seen by functions and tests (E0203)") {
  auto made = checked("let a = 2.0\nfn f(x: real) -> real = a*x\nprint a");
  CHECK(made->report() ==
        "E0203: `a` is a variable of the script, which functions and tests do not see | make it a "
        "parameter, or a function `fn a() -> ... = ...`");
  CHECK(made->labels() == "`a` used here; `a` defined here, at the top level");
  CHECK(report("let a = 2.0\ntest \"t\" { assert a > 0 }").substr(0, 5) == "E0203");
}

TEST_CASE("declarations are visible before their definition") {
  CHECK(report("fn f(x: real) -> real = g(x)\nfn g(x: real) -> real = x\nprint h(1)\n"
               "fn h(p: int) -> P = P { a = f(1) }\ntype P = { a: real }") == "");
}

TEST_CASE("a file's own names hide the prelude's and the builtins'") {
  Checked made;
  made.program.addPrelude("p",
                          "fn twice(x: real) -> real = 2*x\nfn four(x: real) -> real = "
                          "twice(later(x))\n");
  made.program.addPrelude("q", "fn later(x: real) -> real = twice(x)\n");
  made.add(
      "fn twice(n: int) -> int = 2*n\nfn tanh(n: int) -> int = n\nlet v = (twice(3), tanh(1), "
      "four(1.0))");
  CHECK(made.report() == "");
  CHECK(made.typeOf("v") == "(int, int, real)");
  CHECK(made.program.preludeFunction("twice")->in_prelude);
  CHECK(made.program.findFunction("twice")->type->result->scalar == types::Scalar::Int);
}

TEST_CASE("files of the prelude are read when a text names what they declare") {
  Checked made;
  made.program.addPrelude("p", "fn once(x: real) -> real = x\ntype Pair = { a: real }\n");
  made.program.addPrelude("q", "fn twice(x: real) -> real = 2*once(x)\n");
  made.program.addPrelude("r", "fn wrong(x: real) -> int = x\n");
  made.add("let v = twise(1.0)");
  CHECK(made.report().find("did you mean `twice`?") != std::string::npos);
  made.add("let w = twice(1.0)");
  CHECK(made.typeOf("w") == "real");
  CHECK(made.program.preludeFunction("once")->in_prelude);
  CHECK(made.program.findType("Pair"));
  CHECK(!made.program.findType("twice"));
  size_t errors = made.sink.errorCount();
  CHECK(made.program.findFunction("wrong"));  // read only now
  CHECK(made.sink.errorCount() == errors + 1);
}

TEST_CASE("a session redefines; a text of its own does not") {
  Checked made;
  made.add("fn f(x: real) -> real = x\nlet a = 1");
  made.add("fn f(x: real) -> int = 2\nlet a = 2.5\nlet b = f(a)");
  CHECK(made.report() == "");
  CHECK(made.typeOf("a") == "real");
  CHECK(made.typeOf("b") == "int");
}

TEST_CASE("a definition with errors leaves the session as it was") {
  Checked made;
  made.add("fn f(x: real) -> real = x");
  made.add("fn f(x: real) -> int = x\nfn h(x: real) -> real = x");
  CHECK(made.sink.errorCount() == 1);
  made.sink.clear();
  made.add("let v = f(1)\nlet w = h(1)");
  CHECK(made.typeOf("v") == "real");
  CHECK(made.report() == "E0201: `h` is not defined");
}

TEST_CASE("a file that is read again replaces what it declared") {
  namespace fs = std::filesystem;
  fs::path path = fs::temp_directory_path() / "dini_sema_reload.dini";
  Checked made;
  std::ofstream(path) << "fn f(x: real) -> real = x\n";
  REQUIRE(made.program.addFile(path.string()));
  std::ofstream(path) << "fn f(x: real) -> int = 1\n";
  REQUIRE(made.program.addFile(path.string()));
  made.add("let v = f(1)");
  CHECK(made.report() == "");
  CHECK(made.typeOf("v") == "int");
  fs::remove(path);
}

TEST_CASE("which functions are recursive") {
  auto made = checked(
      "fn f(n: int) -> int = if n == 0 { 0 } else { g(n - 1) }\n"
      "fn g(n: int) -> int = f(n)\nfn h(n: int) -> int = f(n)");
  CHECK(made->report() == "");
  CHECK(made->program.findFunction("f")->recursive);
  CHECK(made->program.findFunction("g")->recursive);
  CHECK(!made->program.findFunction("h")->recursive);
}

TEST_CASE("imports are relative to the file, cycles are allowed (E0204, E0701)") {
  namespace fs = std::filesystem;
  fs::path folder = fs::temp_directory_path() / "dini_sema_imports";
  fs::create_directories(folder / "sub");
  auto write = [&](const char* name, const char* text) { std::ofstream(folder / name) << text; };
  write("a.dini", "import \"sub/b.dini\"\nfn one(x: real) -> real = two(x)\n");
  write("sub/b.dini",
        "import \"../a.dini\"\nfn two(x: real) -> real = if x > 9 { x } else { "
        "one(x + 1) }\ntype P = { a: real }\n");
  write("c.dini", "import \"sub/b.dini\"\nimport \"missing.dini\"\nfn two(x: real) -> real = x\n");
  {
    Checked made;
    REQUIRE(made.program.addFile((folder / "a.dini").string()));
    CHECK(made.report() == "");
    CHECK(made.program.findFunction("two")->recursive);
    CHECK(made.program.findType("P"));
  }
  {
    Checked made;
    made.program.addFile((folder / "c.dini").string());
    CHECK(made.report() ==
          "E0202: this import brings in `two`, which is there already\n"
          "E0204: `missing.dini` cannot be read");
  }
  {
    Checked made;
    CHECK(made.program.addFile((folder / "none.dini").string()) == nullptr);
    CHECK(made.report().substr(0, 5) == "E0701");
  }
  CHECK(report("import cpp \"kernel.cpp\"") == "E0204: `kernel.cpp` cannot be read");
  fs::remove_all(folder);
}

TEST_CASE("attributes (E0109, E0504)") {
  CHECK(report("@ties(average)\nfn f(x: real) -> real = abs(x)") == "");
  CHECK(report("@ties(weight(0.25))\nfn f(x: real) -> real = abs(x)") == "");
  CHECK(report("@ties(framework(torch))\nfn f(x: real) -> real = abs(x)") == "");
  CHECK(report("@ties(midle)\nfn f(x: real) -> real = abs(x)").substr(0, 31) ==
        "E0504: `midle` is no tie policy");
  CHECK(report("@ties(locked)\nfn f(x: real) -> real = abs(x)") ==
        "");
  CHECK(report("@bound(10)\nfn f(x: real) -> real = x") ==
        "E0109: `@bound` before `f`, which is not recursive | it stands before a loop or a "
        "recursive function");
  CHECK(report("@bound(10)\nfn f(n: int) -> int = if n == 0 { 0 } else { f(n - 1) }") == "");
}

TEST_CASE("a name whose definition has an error is not reported again") {
  CHECK(report("fn f(x: real) -> real = (\nfn g(x: real) -> real = f(x)").find("E0201") ==
        std::string::npos);
}
