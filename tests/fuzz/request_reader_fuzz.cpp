// The bytes of a connection, cut at any place: the reader must come to the same requests.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "http/request_reader.hpp"

namespace {

using skanu::request_reader;

std::vector<std::string> requests_in(std::string_view bytes, std::size_t piece) {
  request_reader reader({});
  std::vector<std::string> found;
  while (true) {
    const auto stage = reader.advance();
    if (stage == request_reader::stage::complete) {
      const auto request = reader.take();
      found.push_back(request.method + ' ' + request.target + '\n' + request.body);
      if (request.body.size() > 64 * 1024) std::abort();
    } else if (stage == request_reader::stage::failed) {
      found.push_back("failed " + std::to_string(reader.failure().status));
      return found;
    } else if (bytes.empty()) {
      return found;
    } else {
      const auto size = std::min(piece, bytes.size());
      reader.append(bytes.substr(0, size));
      bytes.remove_prefix(size);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (requests_in(bytes, bytes.size() + 1) != requests_in(bytes, 7)) std::abort();
  return 0;
}
