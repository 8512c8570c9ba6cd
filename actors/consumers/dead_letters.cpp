#include "actors/consumers/dead_letters.hpp"

#include <limits>

#include <spdlog/spdlog.h>

#include "messages/event.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "persistence/tables/sealed_value.hpp"

namespace skanu {

namespace {

std::string key_behind(std::string prefix, entity_id entity, log_offset offset) {
  append_ordered_key(prefix, entity);
  append_ordered_key(prefix, offset);
  return prefix;
}

std::string key_of(const dead_letter& letter) {
  return key_behind(dead_letter_prefix(letter.consumer), letter.entity, letter.offset);
}

dead_letter letter_in(std::string_view row) {
  return from_json<dead_letter>(parse_stored_json(row));
}

/// " trace=…" for a log line, where the event has one.
std::string trace_in_log(const dead_letter& letter) {
  const auto trace = trace_of(letter.event);
  return trace ? " trace=" + std::string(trace->trace_id()) : std::string();
}

void note(const dead_letter& letter) {
  spdlog::error("event=dead_letter consumer={} offset={} attempts={} reason=\"{}\"{}",
                letter.consumer, letter.offset, letter.attempts, with_phones_masked(letter.reason),
                trace_in_log(letter));
}

/// True for a first letter never tried: the letter in front is settled.
bool is_unblocked(std::string_view first_row) {
  try {
    return letter_in(first_row).attempts == 0;
  } catch (const decode_error&) {
    return false;
  }
}

}  // namespace

void dead_letter_box::recover(const snapshot& from, std::string_view consumer) {
  consumers_.emplace_back(consumer);
  const auto prefix = dead_letter_prefix(consumer);
  std::string after;
  for (;;) {
    const auto first = from.rows(of_, row_space::dead_letters, prefix, after, 1);
    if (first.empty()) return;
    const auto entity = number_of_key(std::string_view(first.front().key).substr(prefix.size()));
    after = key_behind(prefix, entity, std::numeric_limits<log_offset>::max());
    if (entity == 0 || !parked_.insert(entity).second) continue;
    // Letters interrupted by a crash go on; a blocked entity stays blocked.
    if (is_unblocked(first.front().value)) errands_.push_back(next_of(entity));
  }
}

void dead_letter_box::set_aside(dead_letter letter) {
  letter.timestamp = to_rfc3339(environment_.wall_clock());
  rows_.push_back({row_space::dead_letters, key_of(letter), to_json(letter)});
  if (letter.entity != 0) parked_.insert(letter.entity);
  ++environment_.metrics.dead_letters;
  note(letter);
}

void dead_letter_box::add(letter_errand e) {
  // Errands without an operator need no limit: an entity has at most one.
  if (e.is_an_operators() && errands_.size() >= most_errands)
    return e.asked.answer(error{errc::overloaded, "Too many orders wait here."});
  errands_.push_back(std::move(e));
}

std::optional<letter_errand> dead_letter_box::next_errand() {
  while (!errands_.empty()) {
    auto e = std::move(errands_.front());
    errands_.pop_front();
    try {
      auto found = letter_for(e);
      if (!found) continue;
      if (auto* letter = std::get_if<dead_letter>(&*found)) {
        e.letter = std::move(*letter);
        return e;
      }
      e.asked.answer(std::get<error>(std::move(*found)));
    } catch (const store_error& problem) {
      e.asked.answer(error{problem.code(), std::string(unreadable(problem.code()))});
    } catch (const decode_error&) {
      e.asked.answer(error{errc::undecodable, "What is stored of it cannot be read."});
    }
  }
  return std::nullopt;
}

std::optional<std::variant<dead_letter, error>> dead_letter_box::letter_for(
    const letter_errand& e) {
  // Without an asker, a free or still blocked entity needs no further errand.
  const auto now = environment_.data.read();
  const auto& name = e.order.letter;
  if (!e.is_an_operators()) {
    auto next = first_of(*now, name.entity);
    if (!next) parked_.erase(name.entity);
    if (!next || next->attempts > 0) return std::nullopt;
    return std::move(*next);
  }
  auto letter = e.order.discard ? stored_or_damaged(*now, name) : stored(*now, name);
  if (!letter) return error{errc::not_found, "There is no such dead letter."};
  if (letter->attempts == 0 && !e.order.discard)
    return error{
        errc::not_allowed,
        "It waits behind an earlier event that was set aside: replay or discard that one."};
  return std::move(*letter);
}

std::vector<row_write> dead_letter_box::settled(const dead_letter& letter) {
  return {{row_space::dead_letters, key_of(letter), std::nullopt}};
}

std::vector<row_write> dead_letter_box::discarded(const dead_letter& letter) const {
  auto kept = letter;
  kept.timestamp = to_rfc3339(environment_.wall_clock());
  auto rows = settled(letter);
  rows.push_back({row_space::dead_letters,
                  key_behind(discarded_prefix(letter.consumer), letter.entity, letter.offset),
                  to_json(kept)});
  return rows;
}

std::vector<row_write> dead_letter_box::failed_again(letter_errand& e, std::string_view why) const {
  auto& letter = e.letter;
  ++letter.attempts;
  letter.reason = why;
  letter.timestamp = to_rfc3339(environment_.wall_clock());
  e.told = error{errc::not_allowed, "It failed again: " + letter.reason};
  note(letter);
  return {{row_space::dead_letters, key_of(letter), to_json(letter)}};
}

std::optional<std::chrono::milliseconds> dead_letter_box::finish(const letter_errand& e,
                                                                 const outcome& result) {
  if (std::holds_alternative<error>(result)) {
    e.asked.answer(result);
    if (e.is_an_operators()) return std::nullopt;
    return backoff(retry_, ++failures_, random_);
  }
  failures_ = 0;
  e.asked.answer(e.told);
  if (std::holds_alternative<accepted>(e.told))
    spdlog::warn("event=dead_letter_settled consumer={} offset={} how={}{}", e.letter.consumer,
                 e.letter.offset, e.order.discard ? "discarded" : "replayed",
                 trace_in_log(e.letter));
  if (e.letter.entity == 0) return std::nullopt;
  return std::chrono::milliseconds{0};
}

std::optional<dead_letter> dead_letter_box::stored(const snapshot& from,
                                                   const letter_name& name) const {
  const auto row =
      from.row(of_, row_space::dead_letters,
               key_behind(dead_letter_prefix(name.consumer), name.entity, name.offset));
  if (!row) return std::nullopt;
  return letter_in(*row);
}

std::optional<dead_letter> dead_letter_box::stored_or_damaged(const snapshot& from,
                                                              const letter_name& name) const {
  const auto damaged = [&name] {
    dead_letter letter;
    letter.consumer = name.consumer;
    letter.offset = name.offset;
    letter.entity = name.entity;
    letter.reason = "the dead letter itself was damaged";
    return letter;
  };
  try {
    return stored(from, name);
  } catch (const damaged_value&) {
    return damaged();
  } catch (const decode_error&) {
    return damaged();
  }
}

std::optional<dead_letter> dead_letter_box::first_of(const snapshot& from,
                                                     std::string_view consumer,
                                                     entity_id entity) const {
  auto prefix = dead_letter_prefix(consumer);
  append_ordered_key(prefix, entity);
  const auto rows = from.rows(of_, row_space::dead_letters, prefix, {}, 1);
  if (rows.empty()) return std::nullopt;
  return letter_in(rows.front().value);
}

std::optional<dead_letter> dead_letter_box::first_of(const snapshot& from, entity_id entity) const {
  std::optional<dead_letter> first;
  for (const auto& consumer : consumers_) {
    auto own = first_of(from, consumer, entity);
    if (own && (!first || own->attempts > 0)) first = std::move(own);
  }
  return first;
}

}  // namespace skanu
