// Damaged messages of another node. The decoders read the bytes or throw decode_error, and a
// decoded message is the same after another round of encoding and decoding.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cluster/protocol/handshake.hpp"
#include "cluster/protocol/wire.hpp"

namespace {

using namespace skanu;

void require(bool holds) {
  if (!holds) std::abort();
}

template <class Decode>
void read(std::string_view bytes, Decode decode) {
  std::string written;
  try {
    written = encode(decode(bytes));
  } catch (const decode_error&) {
    return;
  }
  require(written.size() <= bytes.size());
  require(encode(decode(written)) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read(bytes, [](std::string_view b) { return decode_call(b); });
  read(bytes, [](std::string_view b) { return decode_answer(b); });
  read(bytes, [](std::string_view b) {
    const auto h = decode_hello(b);
    if (!is_spoken(h.protocol)) throw decode_error("not read any further");
    return h;
  });
  return 0;
}
