#include "actors/dead_letters.hpp"

#include <spdlog/spdlog.h>

#include "messages/json.hpp"
#include "persistence/consumer_keys.hpp"

namespace skanu {

namespace {

constexpr std::size_t parked_limit = 100'000;

}  // namespace

void dead_letter_box::recover(const snapshot& from, service of, std::string_view consumer) {
  const auto prefix = dead_letter_prefix(consumer);
  for (const auto& row : from.rows(of, row_space::dead_letters, prefix, {}, parked_limit)) {
    const auto entity = number_of_key(std::string_view(row.key).substr(prefix.size()));
    if (entity != 0) parked_.insert(entity);
  }
}

void dead_letter_box::set_aside(const dead_letter& letter) {
  std::string text;
  json_object_writer writer(text);
  writer("consumer", letter.consumer);
  writer("service", name_of(letter.follows));
  writer("offset", letter.offset);
  writer("entity", letter.entity);
  writer("attempts", letter.attempts);
  writer("reason", letter.reason);
  writer("timestamp", to_rfc3339(environment_.wall_clock()));
  writer("event", letter.event);
  writer.close();
  auto key = dead_letter_prefix(letter.consumer);
  append_ordered_key(key, letter.entity);
  append_ordered_key(key, letter.offset);
  rows_.push_back({row_space::dead_letters, std::move(key), std::move(text)});
  if (letter.entity != 0) parked_.insert(letter.entity);
  ++environment_.metrics.dead_letters;
  spdlog::error("event=dead_letter consumer={} offset={} attempts={} reason=\"{}\"", letter.consumer,
                letter.offset, letter.attempts, letter.reason);
}

}  // namespace skanu
