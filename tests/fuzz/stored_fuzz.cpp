// Stored bytes, perhaps damaged: they are read, or refused with decode_error, and nothing else. What was
// read is written as what it was.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "actors/rules/trace_rules.hpp"
#include "messages/delivery.hpp"
#include "messages/payment.hpp"
#include "messages/stamp.hpp"
#include "persistence/document.hpp"
#include "persistence/event.hpp"

namespace {

using namespace skanu;

template <class Read>
void read_or_refuse(Read read) {
  try {
    read();
  } catch (const decode_error&) {
    return;
  }
}

template <class State>
void read_document(service of, std::string_view bytes) {
  read_or_refuse([&] {
    const auto state = decode_document<State>(bytes);
    if (decode_document<State>(encode_document(of, 1, state)) != state) std::abort();
  });
}

template <class Event>
void read_event(std::string_view bytes) {
  read_or_refuse([&] {
    const auto json = parse_stored_json(bytes);
    const auto event = decode_event<Event>(json);
    const auto written = encode_event(event, 1, "2026-01-02T03:04:05.678Z");
    if (decode_event<Event>(parse_stored_json(written)) != event) std::abort();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_or_refuse([&] { parts_of(bytes); });
  read_document<order_state>(service::order, bytes);
  read_document<payment_state>(service::payment, bytes);
  read_document<delivery_state>(service::delivery, bytes);
  read_document<stamp_state>(service::stamp, bytes);
  read_document<order_trace>(service::ordertrace, bytes);
  read_event<order_event>(bytes);
  read_event<payment_event>(bytes);
  read_event<delivery_event>(bytes);
  read_event<stamp_event>(bytes);
  event_type_of(bytes);
  read_or_refuse([&] {
    order_trace trace;
    apply_event(trace, order_of(bytes), bytes);
  });
  return 0;
}
