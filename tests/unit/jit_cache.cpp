// Compiled code on disk: found again with its places in the source, never wrong, never too large.
#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "ir/printer.h"
#include "jit/jit.h"
#include "jit/object_cache.h"

using namespace dini;
using namespace dini::ir;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "dini-cache-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(path)) found.push_back(entry.path());
    return found;
  }
  fs::path path;
};

// Ends with a status at 0 where x is not positive, else gives x * `factor`.
std::unique_ptr<Module> scaling(const std::string& factor) {
  auto result = parseModule(
      "func @f(%0: f64) { %1 = const() : f64 %2 = flt(%1, %0) : i1"
      " check(%2) <i=6, str=\"x is not positive\">"
      " %3 = const() <f=" +
      factor + "> : f64 %4 = mul(%0, %3) : f64 yield(%4) }");
  REQUIRE(std::holds_alternative<std::unique_ptr<Module>>(result));
  return std::move(std::get<std::unique_ptr<Module>>(result));
}

Outcome runWith(const fs::path& folder, const Module& module, double x) {
  jit::Jit jit(folder);
  const std::vector<Tensor> arguments = {Tensor::real(x)};
  return jit.run(module, *module.find("f"), arguments);
}

double valueOf(const Outcome& outcome) {
  REQUIRE(std::holds_alternative<std::vector<Tensor>>(outcome));
  return std::get<std::vector<Tensor>>(outcome)[0].reals[0];
}

void overwrite(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("object cache: a second process finds the code, values and statuses alike") {
  const Folder folder;
  const auto module = scaling("3");
  CHECK(valueOf(runWith(folder.path, *module, 2)) == 6);
  REQUIRE(folder.files().size() == 1);
  const auto written = fs::last_write_time(folder.files()[0]);
  const auto inode = [&] {
    struct stat status = {};
    REQUIRE(::stat(folder.files()[0].c_str(), &status) == 0);
    return status.st_ino;
  };
  const auto before = inode();
  CHECK(valueOf(runWith(folder.path, *module, 4)) == 12);
  const Outcome failed = runWith(folder.path, *module, -1);
  REQUIRE(std::holds_alternative<StatusInfo>(failed));
  CHECK(std::get<StatusInfo>(failed).text == "x is not positive");
  CHECK(folder.files().size() == 1);
  CHECK(inode() == before);  // not written anew
  CHECK(fs::last_write_time(folder.files()[0]) >= written);
}

TEST_CASE("object cache: other code, another level and no folder have entries of their own") {
  const Folder folder;
  CHECK(valueOf(runWith(folder.path, *scaling("3"), 2)) == 6);
  CHECK(valueOf(runWith(folder.path, *scaling("5"), 2)) == 10);
  CHECK(folder.files().size() == 2);
  jit::Jit jit(folder.path);
  const auto module = scaling("3");
  jit::RunOptions options;
  options.level = jit::OptLevel::O0;
  const std::vector<Tensor> arguments = {Tensor::real(2)};
  CHECK(valueOf(jit.run(*module, *module->find("f"), arguments, options)) == 6);
  CHECK(folder.files().size() == 3);
  CHECK(valueOf(runWith({}, *scaling("7"), 2)) == 14);
  CHECK(folder.files().size() == 3);
}

TEST_CASE("object cache: the code found is the code that runs") {
  // Another function's entry under this one's name, with a good checksum: it is believed.
  const Folder folder;
  CHECK(valueOf(runWith(folder.path, *scaling("3"), 2)) == 6);
  const fs::path three = folder.files()[0];
  const std::string code = contents(three);
  fs::remove(three);
  CHECK(valueOf(runWith(folder.path, *scaling("5"), 2)) == 10);
  overwrite(folder.files()[0], code);
  CHECK(valueOf(runWith(folder.path, *scaling("5"), 2)) == 6);
}

TEST_CASE("object cache: damaged entries are compiled anew, unfinished ones are not seen") {
  const Folder folder;
  const auto module = scaling("3");
  CHECK(valueOf(runWith(folder.path, *module, 2)) == 6);
  const fs::path entry = folder.files()[0];
  const std::string good = contents(entry);
  std::string flipped = good;
  flipped[flipped.size() / 2] ^= 1;
  const std::string damaged[] = {"",         "dini object 1\n", good.substr(0, good.size() - 1),
                                 good + "x", flipped,           "other" + good};
  for (const std::string& bytes : damaged) {
    CAPTURE(bytes.size());
    overwrite(entry, bytes);
    CHECK(valueOf(runWith(folder.path, *module, 2)) == 6);
    CHECK(contents(entry) == good);  // written again
  }
  overwrite(entry.string() + ".1.1.part", good.substr(0, 50));
  CHECK(valueOf(runWith(folder.path, *module, 2)) == 6);
}

TEST_CASE("object cache: many at once") {
  const Folder folder;
  std::vector<std::thread> threads;
  std::vector<double> values(4);
  const auto module = scaling("3");
  for (size_t k = 0; k < values.size(); ++k)
    threads.emplace_back([&, k] {
      jit::Jit jit(folder.path);
      const std::vector<Tensor> arguments = {Tensor::real(2)};
      const Outcome outcome = jit.run(*module, *module->find("f"), arguments);
      if (const auto* results = std::get_if<std::vector<Tensor>>(&outcome))
        values[k] = results->front().reals[0];
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(values == std::vector<double>(4, 6));
  CHECK(folder.files().size() == 1);
}

TEST_CASE("object cache: the longest unused entries go when the limit is passed") {
  const Folder folder;
  const jit::ObjectCache cache(folder.path, 10'000);
  REQUIRE(cache.enabled());
  const codegen::Target target;
  std::vector<std::string> names;
  for (int k = 0; k < 4; ++k) {
    names.push_back(cache.nameOf("key " + std::to_string(k), target));
    cache.store(names.back(), {"entry", {}, std::string(3000, 'x')});
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
    if (k == 2) {
      CHECK(cache.find(names[0])->object.size() == 3000);  // used last now
      std::this_thread::sleep_for(std::chrono::milliseconds(15));
    }
  }
  CHECK(cache.find(names[0]).has_value());
  CHECK_FALSE(cache.find(names[1]).has_value());
  CHECK_FALSE(cache.find(names[2]).has_value());
  CHECK(cache.find(names[3]).has_value());
}

TEST_CASE("object cache: not in a folder that others may write to, nor where none can be made") {
  const Folder folder;
  fs::permissions(folder.path, fs::perms::others_write, fs::perm_options::add);
  CHECK_FALSE(jit::ObjectCache(folder.path).enabled());
  CHECK_FALSE(jit::ObjectCache("/dev/null/cache").enabled());
  CHECK_FALSE(jit::ObjectCache("").enabled());
  const Folder outer;
  CHECK(jit::ObjectCache(outer.path / "a" / "b").enabled());
  CHECK(valueOf(runWith("/dev/null/cache", *scaling("3"), 2)) == 6);
}
