// Damaged messages of another node. The decoders read the bytes or throw decode_error, and a
// decoded message is the same after another round of encoding and decoding.
#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/protocol/handshake.hpp"
#include "cluster/protocol/wire.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using namespace skanu;

/// A value without fields that its writer does not know is written with them.
constexpr std::size_t most_growth = 64;

template <class Decode>
void read(std::string_view bytes, Decode decode) {
  std::string written;
  try {
    written = encode(decode(bytes));
  } catch (const decode_error&) {
    return;
  }
  require(written.size() <= most_growth * (bytes.size() + 1));
  require(encode(decode(written)) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read(bytes, [](std::string_view b) { return decode_call(b); });
  read(bytes, [](std::string_view b) { return decode_answer(b); });
  read(bytes, [](std::string_view b) {
    const auto h = decode_hello(b);
    if (h.protocol > protocol_version || !common_version(h))
      throw decode_error("not read any further");
    return h;
  });
  return 0;
}
