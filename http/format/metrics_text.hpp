// Writes the Prometheus text format, version 0.0.4. No CAF, no httplib.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/operations/histogram.hpp"

namespace skanu {

class metrics_text {
 public:
  /// Name and value of each label. Values have no quotes, backslashes or line breaks.
  using labels = std::vector<std::pair<std::string_view, std::string_view>>;

  /// Begins a metric; its samples follow. `help` is a single line.
  void metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    out_.append(name).append(" ").append(type).append("\n");
  }

  void sample(const labels& of, std::int64_t value) { line({}, of, {}, std::to_string(value)); }
  void sample(const labels& of, double value) { line({}, of, {}, text_of(value)); }

  /// Writes the samples of a histogram. `unit` is an observation's unit in the metric's unit: 1e-6
  /// for microseconds in a metric of seconds.
  template <std::size_t Buckets>
  void sample(const labels& of, const histogram<Buckets>& h, double unit) {
    std::int64_t below = 0;
    for (std::size_t i = 0; i <= Buckets; ++i) {
      below += h.count(i);
      line("_bucket", of,
           i < Buckets ? text_of(static_cast<double>(h.bounds()[i]) * unit) : std::string("+Inf"),
           std::to_string(below));
    }
    line("_sum", of, {}, text_of(static_cast<double>(h.sum()) * unit));
    line("_count", of, {}, std::to_string(below));
  }

  std::string take() { return std::move(out_); }

 private:
  static std::string text_of(double value) {
    std::array<char, 40> text;
    std::snprintf(text.data(), text.size(), "%.10g", value);
    return text.data();
  }

  void line(std::string_view suffix, const labels& of, std::string_view le,
            std::string_view value) {
    out_.append(name_).append(suffix);
    char before = '{';
    const auto label = [&](std::string_view name, std::string_view text) {
      out_ += std::exchange(before, ',');
      out_.append(name).append("=\"").append(text).append("\"");
    };
    for (const auto& [name, text] : of) label(name, text);
    if (!le.empty()) label("le", le);
    if (before == ',') out_ += '}';
    out_.append(" ").append(value).append("\n");
  }

  std::string out_;
  std::string_view name_;
};

}  // namespace skanu
