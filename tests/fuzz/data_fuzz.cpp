// Any bytes as csv and as npy: read or refused; what is read is written and read again the same.
#include <cstdint>

#include "base/check.h"
#include "session/data_file.h"

using namespace dini;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  session::Loaded csv = session::readCsv(bytes, "fuzz.csv");
  if (auto* value = std::get_if<lower::HostValue>(&csv)) {
    session::Loaded again = session::readCsv(session::writeCsv(*value), "fuzz.csv");
    check(std::holds_alternative<lower::HostValue>(again), "written csv is not read");
    check(ir::identical(std::get<lower::HostValue>(again).leaves[0], value->leaves[0]),
          "csv changes values");
  }
  session::Loaded npy = session::readNpy(bytes, "fuzz.npy");
  if (auto* value = std::get_if<lower::HostValue>(&npy)) {
    session::Loaded again = session::readNpy(session::writeNpy(*value), "fuzz.npy");
    check(std::holds_alternative<lower::HostValue>(again), "written npy is not read");
    check(ir::identical(std::get<lower::HostValue>(again).leaves[0], value->leaves[0]),
          "npy changes values");
  }
  return 0;
}
