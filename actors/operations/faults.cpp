#include "actors/operations/faults.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <csignal>

#include <unistd.h>

#include "actors/operations/duration.hpp"
#include "messages/values.hpp"

namespace skanu {

namespace {

using milliseconds = fault_plan::milliseconds;

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = problem == std::errc{} && end == text.data() + text.size();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<std::pair<milliseconds, milliseconds>> range_in(std::string_view text) {
  const auto dots = text.find("..");
  const auto from = duration_in(text.substr(0, dots));
  const auto to = dots == text.npos ? from : duration_in(text.substr(dots + 2));
  if (!from || !to || *from > *to) return std::nullopt;
  return std::pair{*from, *to};
}

}  // namespace

std::optional<std::string> fault_plan::add(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == text.npos) return "a fault is NAME=VALUE: " + std::string(text);
  const auto name = text.substr(0, equals);
  auto value = text.substr(equals + 1);
  window when;
  if (const auto at = value.find('@'); at != value.npos) {
    const auto range = range_in(value.substr(at + 1));
    if (!range || value.find("..") == value.npos)
      return "a fault's window is FROM..TO, such as 0s..10s: " + std::string(text);
    when = {range->first, range->second};
    value = value.substr(0, at);
  }
  if (name == "payment-delay") {
    const auto range = range_in(value);
    if (!range) return "payment-delay takes a time or a range, such as 400ms..620ms";
    payment_delay_.push_back({range->first, range->second, when});
  } else if (name == "payment-fail" || name == "payment-lose-reply") {
    const auto probability = number_in(value);
    if (!probability || *probability < 0 || *probability > 1)
      return std::string(name) + " takes a probability from 0 to 1";
    (name == "payment-fail" ? payment_fail_ : payment_lose_reply_).push_back({*probability, when});
  } else if (name == "crash-at") {
    const auto colon = value.rfind(':');
    const auto times = colon == value.npos ? 1 : number_in(value.substr(colon + 1)).value_or(0);
    const std::string point(value.substr(0, colon));
    if (times < 1 || times > 1e9 || times != std::floor(times))
      return "crash-at takes POINT:N, N from 1 to a thousand million";
    if (std::find(points().begin(), points().end(), point) == points().end())
      return "no such crash point: " + point + " (see --fault help)";
    crashes_.push_back(std::make_unique<crash>(point, static_cast<std::int64_t>(times), when));
  } else {
    return "no such fault: " + std::string(name) + " (see --fault help)";
  }
  return std::nullopt;
}

bool fault_plan::active(const window& w) const {
  const auto ready = ready_.load();
  if (ready == 0) return false;
  const auto since = clock::now() - clock::time_point(clock::duration(ready));
  return since >= w.from && (w.to == milliseconds::max() || since < w.to);
}

bool fault_plan::happens(const std::vector<chance>& chances) {
  return std::any_of(chances.begin(), chances.end(), [this](const chance& c) {
    return active(c.when) && throw_dice() < c.probability;
  });
}

std::optional<milliseconds> fault_plan::payment_delay() {
  for (const auto& d : payment_delay_) {
    if (!active(d.when)) continue;
    const auto spread = static_cast<double>((d.most - d.least).count());
    return d.least + milliseconds(static_cast<std::int64_t>(spread * throw_dice()));
  }
  return std::nullopt;
}

void fault_plan::pass(std::string_view point, std::int64_t times) noexcept {
  for (const auto& c : crashes_) {
    if (c->point != point || !(c->when == window{} || active(c->when))) continue;
    const auto left = c->passes_left.fetch_sub(times);
    if (left > 0 && left <= times) ::kill(::getpid(), SIGKILL);
  }
}

const std::vector<std::string>& fault_plan::points() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    for (const auto s : all_services) {
      names.push_back(std::string(name_of(s)) + ".before-commit");
      names.push_back(std::string(name_of(s)) + ".after-commit");
    }
    names.insert(names.end(), {"placement.id-issued", "placement.payment-open",
                               "placement.before-rejection", "policy.before-position"});
    return names;
  }();
  return all;
}

std::string fault_plan::help() {
  std::string text =
      "Faults, each with an optional window since ready: NAME=VALUE@FROM..TO (0s..10s)\n"
      "  payment-delay=400ms..620ms  payment answers the order service so much later (uniform)\n"
      "  payment-fail=0.1            payment refuses the order service before its commit\n"
      "  payment-lose-reply=0.1      payment commits, and does not answer the order service\n"
      "  crash-at=POINT:N            the process dies (SIGKILL) at the Nth pass of a point\n"
      "Crash points:\n";
  for (const auto& point : points()) text += "  " + point + "\n";
  return text;
}

}  // namespace skanu
