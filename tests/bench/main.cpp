// dini_bench: checks the hand-written versions, then Dini's answers against them, and prints times.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "agreement.h"
#include "dini/linalg.h"
#include "session/data_file.h"
#include "timing.h"
#include "workloads.h"

namespace dini::bench {
namespace {

constexpr double kAgreement = 1e-9;

struct Settings {
  double seconds = 1;
  int core = 0;
  bool hand_only = false;
  std::string export_to;
  std::vector<std::string> only;
};

std::string micro(double seconds) { return fmt::format("{:.4g}", 1e6 * seconds); }

void printFigure(const std::string& who, const Figure& value, const Figure& total,
                 const Figure* best_value, const Figure* best_total) {
  const auto ratio = [](const Figure& mine, const Figure* best) {
    return best ? fmt::format("{:.2f}", mine.median / best->median) : std::string("1");
  };
  const auto spread = [](const Figure& f) {
    return fmt::format("{}..{}", micro(f.lower), micro(f.upper));
  };
  fmt::print("  {:<24}{:>10}  {:<20}{:>7}{:>12}  {:<20}{:>7}\n", who, micro(value.median),
             spread(value), ratio(value, best_value), micro(total.median), spread(total),
             ratio(total, best_total));
}

struct DiniVersion {
  std::unique_ptr<Program> program;
  std::unique_ptr<Callable> value, total;
};

// What Dini's versions give, against the hand-written ones. `value` gives what `total` begins with.
void compare(const Workload& workload, DiniVersion& dini, Agreement& agreement) {
  workload.hand.front().total();
  const std::vector<std::vector<double>> wanted = workload.answers();
  const auto check = [&](const std::string& what, Callable& callable, size_t leaves) {
    callable();
    agreement.expect(fmt::format("{}: {} runs", workload.name, what), callable.good());
    if (!callable.good()) return;
    const std::vector<std::vector<double>> got = callable.results();
    agreement.expect(fmt::format("{}: leaves of {}", workload.name, what), got.size() == leaves);
    for (size_t leaf = 0; leaf < std::min(got.size(), leaves); ++leaf)
      agreement.expect(fmt::format("{}: leaf {} of {}", workload.name, leaf, what), got[leaf],
                       wanted[leaf], kAgreement);
  };
  check("value", *dini.value, 1);
  check("total", *dini.total, wanted.size());
}

DiniVersion compileDini(const Workload& workload) {
  DiniVersion dini;
  dini.program =
      Program::read(fmt::format("{}/{}", DINI_BENCH_DIR, workload.program), workload.inputs);
  if (!dini.program) return dini;
  const auto compile = [&](const char* what, const std::string& expression) {
    auto callable = dini.program->compile(expression);
    if (callable)
      fmt::print("  compiling {}: {:.1f} ms to IR, {:.1f} ms to machine code and a first call\n",
                 what, 1e3 * dini.program->frontSeconds(), 1e3 * dini.program->backSeconds());
    return callable;
  };
  dini.value = compile("the value", workload.value);
  dini.total = compile("the total", workload.total);
  return dini;
}

bool run(const Workload& workload, const Settings& settings, Agreement& agreement) {
  fmt::print("{}\n", workload.title);
  DiniVersion dini;
  if (!settings.hand_only) {
    dini = compileDini(workload);
    if (!dini.value || !dini.total) return false;
    compare(workload, dini, agreement);
    if (!agreement.good()) return false;
  }
  std::vector<std::function<void()>> functions;
  for (const Version& version : workload.hand) {
    functions.push_back(version.value);
    functions.push_back(version.total);
  }
  if (dini.value) {
    functions.push_back([&] { (*dini.value)(); });
    functions.push_back([&] { (*dini.total)(); });
  }
  const std::vector<Figure> figures = measure(functions, settings.seconds);
  const auto faster = [&](size_t from) {
    size_t best = from;
    for (size_t at = from; at < 2 * workload.hand.size(); at += 2)
      if (figures[at].median < figures[best].median) best = at;
    return &figures[best];
  };
  const Figure *best_value = faster(0), *best_total = faster(1);
  for (size_t k = 0; k < workload.hand.size(); ++k)
    printFigure("hand, " + workload.hand[k].name, figures[2 * k], figures[2 * k + 1], best_value,
                best_total);
  if (dini.value)
    printFigure("Dini", figures[figures.size() - 2], figures.back(), best_value, best_total);
  std::fflush(stdout);
  return true;
}

// Inputs and hand-written answers as FOLDER/WORKLOAD/NAME.npy, for other tools.
bool exportWorkload(const Workload& workload, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const auto save = [&](const std::string& name, ir::Tensor tensor) {
    const session::DataError error =
        session::saveData(session::hostArray(std::move(tensor)), folder / (name + ".npy"));
    if (!error.message.empty()) fmt::print(stderr, "{}\n", error.message);
    return error.message.empty();
  };
  bool good = true;
  for (const auto& [name, tensor] : workload.inputs) good &= save(name, tensor);
  workload.hand.front().total();
  int number = 0;
  for (const std::vector<double>& answer : workload.answers())
    good &= save(fmt::format("answer{}", number++),
                 realTensor({static_cast<int64_t>(answer.size())}, answer));
  return good;
}

int runAll(const Settings& settings) {
  Agreement hand;
  checkHand(hand);
  if (!hand.good()) {
    fmt::print(stderr, "the hand-written versions are wrong\n");
    return 1;
  }
  if (!settings.export_to.empty()) {
    bool good = true;
    for (const WorkloadRow& row : workloads())
      good &= exportWorkload(row.make(), std::filesystem::path(settings.export_to) / row.name);
    return good ? 0 : 1;
  }
  if (!pinToCore(settings.core)) fmt::print(stderr, "core {} refused: not pinned\n", settings.core);
  dini_init();
  fmt::print("microseconds a call: median, quartiles, ratio to the best by hand; one thread\n");
  fmt::print("  {:<24}{:>10}  {:<20}{:>7}{:>12}  {:<20}{:>7}\n", "", "value", "", "ratio", "total",
             "", "ratio");
  int failed = 0;
  for (const WorkloadRow& row : workloads()) {
    const auto& only = settings.only;
    if (!only.empty() && std::find(only.begin(), only.end(), row.name) == only.end()) continue;
    Agreement agreement;
    if (!run(row.make(), settings, agreement)) ++failed;
  }
  if (failed) fmt::print(stderr, "{} workloads failed\n", failed);
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace dini::bench

int main(int argc, char** argv) {
  dini::bench::Settings settings;
  CLI::App app("Times of compiled Dini programs against hand-written C++");
  app.add_option("--seconds", settings.seconds, "of each figure, at least");
  app.add_option("--core", settings.core, "the core to stay on");
  app.add_flag("--hand-only", settings.hand_only, "the hand-written versions alone");
  app.add_option("--export", settings.export_to,
                 "write inputs and hand-written answers to this folder, as npy, and stop");
  app.add_option("workloads", settings.only, "names: roots pairs triples rosenbrock gmm10 gmm64 mlp32 lasso10 lasso100 qp brusselator");
  CLI11_PARSE(app, argc, argv);
  return dini::bench::runAll(settings);
}
