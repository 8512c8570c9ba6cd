// Counts and durations of requests, by route and status. No CAF, no httplib.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "http/format/metrics_text.hpp"

namespace skanu {

/// Lock-free. Any thread may call any function.
class request_metrics {
 public:
  /// Takes the routes' labels, "GET /orders/{id}". Requests without a route count under "other".
  explicit request_metrics(const std::vector<std::string>& routes);

  /// `route` is the route's index, or the number of routes for requests without a route.
  void count(std::size_t route, int status, std::chrono::microseconds took);

  /// Appends skanu_http_requests_total and skanu_http_request_duration_seconds.
  void render(metrics_text& out) const;

 private:
  static constexpr std::array<int, 25> statuses = {200, 201, 204, 304, 400, 404, 405, 408, 409,
                                                   412, 413, 414, 415, 417, 421, 422, 431, 500,
                                                   501, 503, 504, 505, 507, 206, 0};
  static constexpr std::array<std::string_view, 5> classes = {"1xx", "2xx", "3xx", "4xx", "5xx"};

  struct durations : histogram<12> {
    durations()
        : histogram({500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 500'000,
                     1'000'000, 2'500'000}) {}
  };
  struct route_counts {
    std::string method, path;
    std::array<std::atomic<std::int64_t>, statuses.size()> by_status{};
    std::array<durations, classes.size()> by_class;  ///< In microseconds.
  };
  std::vector<route_counts> routes_;
};

}  // namespace skanu
