// Bytes of a connection. The reader never holds more than its limits, and reads the same requests
// for every division of the bytes into pieces.
#include "http/server/request_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/fuzz/require.hpp"

namespace {

using namespace skanu;

constexpr request_limits limits{
    .header_block = 512, .header_line = 128, .header_fields = 10, .body = 256};

/// The requests read, in a comparable form.
std::vector<std::string> read_all(std::string_view bytes, std::size_t piece) {
  std::vector<std::string> seen;
  request_reader reader(limits);
  do {
    const auto now = std::min(piece, bytes.size());
    reader.append(bytes.substr(0, now));
    bytes.remove_prefix(now);
    for (auto stage = reader.advance();; stage = reader.advance()) {
      if (stage == request_reader::stage::failed) {
        const auto& why = reader.failure();
        require(why.status >= 400 && why.status < 600 && !why.reason.empty());
        seen.push_back("failed " + std::to_string(why.status));
        return seen;
      }
      if (stage != request_reader::stage::complete) break;
      const auto request = reader.take();
      require(!request.method.empty() && !request.target.empty());
      require(request.body.size() <= limits.body);
      require(request.headers.size() <= limits.header_fields);
      auto line = request.method + ' ' + request.target + (request.keep_alive ? " k " : " c ");
      for (const auto& [name, value] : request.headers) {
        require(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos);
        line += name + ':' + value + ';';
      }
      seen.push_back(line + request.body);
    }
  } while (!bytes.empty());
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = read_all(bytes, std::max<std::size_t>(size, 1));
  require(read_all(bytes, 1) == whole);
  require(read_all(bytes, 7) == whole);
  return 0;
}
