// Metrics as text: each value under the right label, in the right bucket, in seconds.
#include "http/format/metrics_text.hpp"

#include <gtest/gtest.h>

#include "http/server/request_metrics.hpp"

namespace skanu {
namespace {

using namespace std::chrono_literals;

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(histogram, what_is_on_a_bound_counts_as_not_above_it) {
  histogram<2> h{{10, 20}};
  for (const auto value : {0, 10, 11, 20, 21}) h.observe(value);
  EXPECT_EQ(h.count(0), 2);
  EXPECT_EQ(h.count(1), 2);
  EXPECT_EQ(h.count(2), 1);
  EXPECT_EQ(h.sum(), 62);
}

TEST(metrics_text, a_histogram_counts_upwards_in_the_unit_of_its_metric) {
  histogram<2> h{{100, 2'500}};
  for (const auto value : {100, 100, 2'000, 9'000}) h.observe(value);
  metrics_text out;
  out.metric("wait_seconds", "histogram", "How long.");
  out.sample({{"a", "x"}}, h, 1e-6);
  EXPECT_EQ(out.take(),
            "# HELP wait_seconds How long.\n"
            "# TYPE wait_seconds histogram\n"
            "wait_seconds_bucket{a=\"x\",le=\"0.0001\"} 2\n"
            "wait_seconds_bucket{a=\"x\",le=\"0.0025\"} 3\n"
            "wait_seconds_bucket{a=\"x\",le=\"+Inf\"} 4\n"
            "wait_seconds_sum{a=\"x\"} 0.0112\n"
            "wait_seconds_count{a=\"x\"} 4\n");
}

TEST(request_metrics, a_request_counts_once_under_its_route_status_and_class_in_seconds) {
  request_metrics requests({"GET /a/{id}", "PUT /a/{id}"});
  requests.count(1, 503, 1'500us);
  requests.count(1, 409, 10us);
  requests.count(2, 404, 10us);
  requests.count(0, 299, 10us);
  metrics_text out;
  requests.render(out);
  const auto text = out.take();
  const std::string put = "{method=\"PUT\",route=\"/a/{id}\",status=";
  for (const auto& line :
       {"skanu_http_requests_total" + put + "\"503\"} 1",
        "skanu_http_requests_total" + put + "\"409\"} 1",
        std::string("skanu_http_requests_total{method=\"other\",route=\"other\",status=\"404\"} 1"),
        "skanu_http_request_duration_seconds_count" + put + "\"5xx\"} 1",
        "skanu_http_request_duration_seconds_sum" + put + "\"5xx\"} 0.0015",
        "skanu_http_request_duration_seconds_bucket" + put + "\"5xx\",le=\"0.001\"} 0",
        "skanu_http_request_duration_seconds_bucket" + put + "\"5xx\",le=\"0.0025\"} 1",
        "skanu_http_request_duration_seconds_count" + put + "\"4xx\"} 1",
        std::string("skanu_http_requests_total{method=\"GET\",route=\"/a/{id}\",status=\"0\"} 1")})
    EXPECT_TRUE(has_line(text, line)) << line << " in " << text;
}

}  // namespace
}  // namespace skanu
