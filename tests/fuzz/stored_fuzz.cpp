// Damaged stored bytes. The decoders read the bytes or throw decode_error, and a decoded value is
// the same after another round of encoding and decoding.
#include <cstdint>

#include "actors/rules/trace_rules.hpp"
#include "messages/delivery.hpp"
#include "messages/event.hpp"
#include "messages/payment.hpp"
#include "messages/stamp.hpp"
#include "persistence/document.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using namespace skanu;

template <class Read>
void refused_or(Read read) {
  try {
    read();
  } catch (const decode_error&) {
    // The decoder refused the bytes.
  }
}

template <class State>
void read_document(service of, std::string_view bytes) {
  refused_or([&] {
    const auto state = decode_document<State>(bytes);
    const auto again = encode_document(of, 7, state);
    require(decode_document<State>(again) == state);
    require(parts_of(again).version == 7);
  });
}

template <class Event>
void read_event(std::string_view bytes) {
  refused_or([&] {
    const auto event = decode_event<Event>(parse_stored_json(bytes));
    const auto again = encode_event(event, 3, "2026-11-22T12:00:00.000Z");
    require(decode_event<Event>(parse_stored_json(again)) == event);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  refused_or([&] {
    const auto parts = parts_of(bytes);
    require(parts.data.data() >= bytes.data());
    require(parts.data.data() + parts.data.size() <= bytes.data() + bytes.size());
  });
  read_document<order_state>(service::order, bytes);
  read_document<payment_state>(service::payment, bytes);
  read_document<delivery_state>(service::delivery, bytes);
  read_document<stamp_state>(service::stamp, bytes);
  read_document<order_trace>(service::ordertrace, bytes);
  read_event<order_event>(bytes);
  read_event<payment_event>(bytes);
  read_event<delivery_event>(bytes);
  read_event<stamp_event>(bytes);
  refused_or([&] {
    order_trace trace;
    apply_event(trace, order_of(bytes), bytes);
  });
  return 0;
}
