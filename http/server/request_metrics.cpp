#include "http/server/request_metrics.hpp"

#include <algorithm>

namespace skanu {

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
  r.by_class[static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1)].observe(took.count());
}

void request_metrics::render(metrics_text& out) const {
  out.metric("skanu_http_requests_total", "counter", "Requests answered.");
  for (const auto& r : routes_)
    for (std::size_t i = 0; i < statuses.size(); ++i)
      if (const auto n = r.by_status[i].load())
        out.sample(
            {{"method", r.method}, {"route", r.path}, {"status", std::to_string(statuses[i])}}, n);
  out.metric("skanu_http_request_duration_seconds", "histogram",
             "Time from the whole request to its answer, by class of status.");
  for (const auto& r : routes_)
    for (std::size_t i = 0; i < classes.size(); ++i)
      if (r.by_class[i].sum() > 0 || r.by_class[i].count(0) > 0)
        out.sample({{"method", r.method}, {"route", r.path}, {"status", classes[i]}}, r.by_class[i],
                   1e-6);
}

}  // namespace skanu
