#include "http/request_metrics.hpp"

#include <algorithm>
#include <cstdio>

namespace skanu {

namespace {

std::string seconds_text(std::int64_t microseconds) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%g", static_cast<double>(microseconds) / 1e6);
  return text.data();
}

}  // namespace

request_metrics::request_metrics(const std::vector<std::string>& routes)
    : routes_(routes.size() + 1) {
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const auto space = routes[i].find(' ');
    routes_[i].method = routes[i].substr(0, space);
    routes_[i].path = routes[i].substr(space + 1);
  }
  routes_.back().method = routes_.back().path = "other";
}

void request_metrics::count(std::size_t route, int status, std::chrono::microseconds took) {
  auto& r = routes_[std::min(route, routes_.size() - 1)];
  const auto known = std::find(statuses.begin(), statuses.end() - 1, status);
  ++r.by_status[static_cast<std::size_t>(known - statuses.begin())];
  const auto bucket = std::lower_bound(bounds_us.begin(), bounds_us.end(), took.count());
  ++r.by_time[static_cast<std::size_t>(bucket - bounds_us.begin())];
  r.total_us += took.count();
}

void request_metrics::render(std::string& out) const {
  out += "# HELP skanu_http_requests_total Requests answered.\n"
         "# TYPE skanu_http_requests_total counter\n";
  const auto labels = [](const route_counts& r) {
    return "{method=\"" + r.method + "\",route=\"" + r.path + "\"";
  };
  for (const auto& r : routes_)
    for (std::size_t i = 0; i < statuses.size(); ++i)
      if (const auto n = r.by_status[i].load())
        out += "skanu_http_requests_total" + labels(r) + ",status=\"" + std::to_string(statuses[i]) +
               "\"} " + std::to_string(n) + "\n";
  out += "# HELP skanu_http_request_duration_seconds Time from the whole request to its answer.\n"
         "# TYPE skanu_http_request_duration_seconds histogram\n";
  for (const auto& r : routes_) {
    std::int64_t sum = 0;
    for (const auto& n : r.by_time) sum += n.load();
    if (sum == 0) continue;
    const std::string name = "skanu_http_request_duration_seconds";
    std::int64_t below = 0;
    for (std::size_t i = 0; i <= bounds_us.size(); ++i) {
      below += r.by_time[i].load();
      out += name + "_bucket" + labels(r) + ",le=\"" +
             (i < bounds_us.size() ? seconds_text(bounds_us[i]) : "+Inf") + "\"} " +
             std::to_string(below) + "\n";
    }
    out += name + "_sum" + labels(r) + "} " + seconds_text(r.total_us.load()) + "\n";
    out += name + "_count" + labels(r) + "} " + std::to_string(below) + "\n";
  }
}

}  // namespace skanu
