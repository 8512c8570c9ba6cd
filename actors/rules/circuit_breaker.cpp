#include "actors/rules/circuit_breaker.hpp"

namespace skanu {

std::string_view name_of(breaker_state s) {
  switch (s) {
    case breaker_state::closed: return "CLOSED";
    case breaker_state::open: return "OPEN";
    case breaker_state::half_open: return "HALF_OPEN";
  }
  return "UNKNOWN";
}

std::optional<circuit_breaker::permit> circuit_breaker::try_acquire(time now) {
  // Due transitions happen now, at the time when each was due.
  if (state_ == breaker_state::half_open && now - since_ >= settings_.half_open_for)
    enter(breaker_state::open, since_ + settings_.half_open_for);
  if (state_ == breaker_state::open && now - since_ >= settings_.open_for)
    enter(breaker_state::half_open, now);
  const bool permitted =
      state_ == breaker_state::closed ||
      (state_ == breaker_state::half_open && permitted_ < settings_.half_open_calls);
  if (!permitted) {
    ++not_permitted_;
    return std::nullopt;
  }
  if (state_ == breaker_state::half_open) ++permitted_;
  return permit{generation_, now};
}

void circuit_breaker::release(const permit& p) {
  if (p.generation == generation_ && state_ == breaker_state::half_open) --permitted_;
}

void circuit_breaker::record(const permit& p, bool success, time now) {
  if (p.generation != generation_) return;
  const call made{!success, now - p.began >= settings_.slow_after};
  calls_.push_back(made);
  failed_ += made.failed;
  slow_ += made.slow;
  const auto capacity =
      state_ == breaker_state::half_open ? settings_.half_open_calls : settings_.window;
  if (calls_.size() > capacity) {
    failed_ -= calls_.front().failed;
    slow_ -= calls_.front().slow;
    calls_.pop_front();
  }
  if (state_ == breaker_state::closed && over_threshold()) {
    enter(breaker_state::open, now);
  } else if (state_ == breaker_state::half_open && calls_.size() == settings_.half_open_calls) {
    enter(over_threshold() ? breaker_state::open : breaker_state::closed, now);
  }
}

std::chrono::milliseconds circuit_breaker::retry_after(time now) const {
  const bool permits_more =
      state_ == breaker_state::half_open && permitted_ < settings_.half_open_calls;
  if (state_ == breaker_state::closed || permits_more) return std::chrono::milliseconds{0};
  const auto wait = state_ == breaker_state::open ? settings_.open_for : settings_.half_open_for;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(since_ + wait - now);
  return std::max(left, std::chrono::milliseconds{0});
}

circuit_breaker::figures circuit_breaker::show() const {
  return {state_, rate_of(failed_), rate_of(slow_), calls_.size(), failed_, not_permitted_};
}

void circuit_breaker::enter(breaker_state next, time now) {
  state_ = next;
  since_ = now;
  ++generation_;
  permitted_ = 0;
  // An open breaker keeps the calls for show(), as the reason for opening.
  if (next == breaker_state::open) return;
  calls_.clear();
  failed_ = slow_ = 0;
  counts_from_ =
      next == breaker_state::half_open ? settings_.half_open_calls : settings_.minimum_calls;
}

bool circuit_breaker::over_threshold() const {
  const auto failed = rate_of(failed_), slow = rate_of(slow_);
  return failed >= settings_.failure_threshold || slow >= settings_.slow_threshold;
}

double circuit_breaker::rate_of(std::size_t calls) const {
  if (calls_.size() < counts_from_) return -1;
  return 100.0 * static_cast<double>(calls) / static_cast<double>(calls_.size());
}

}  // namespace skanu
