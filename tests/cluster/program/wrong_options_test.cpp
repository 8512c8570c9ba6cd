// The nearest right name of a wrong option, command or variable.
#include "cluster/program/wrong_options.hpp"

#include <gtest/gtest.h>

namespace skanu {
namespace {

TEST(wrong_options, the_nearest_name_is_found_where_one_is_near) {
  const std::vector<std::string> names = {"--http", "--data", "--log-file", "--log-level"};
  EXPECT_EQ(nearest("--htpp", names), "--http");
  EXPECT_EQ(nearest("--htt", names), "--http");
  EXPECT_EQ(nearest("--log-fil", names), "--log-file");
  EXPECT_EQ(nearest("--loglevel", names), "--log-level");
  EXPECT_EQ(nearest("--something-else", names), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), names), "");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(wrong_options, a_variable_is_doubted_only_where_it_is_nearly_an_options) {
  CLI::App app;
  std::string text;
  auto* serve = app.add_subcommand("serve");
  serve->add_option("--http", text)->envname("SKANU_HTTP");
  serve->add_option("--deep", text)->envname("SKANU_DEEP");
  serve->add_option("--max-streams", text)->envname("SKANU_MAX_STREAMS");
  const auto doubts = doubtful_variables(
      app, {"SKANU_HTTP", "SKANU_HTPP", "SKANU_MAXSTREAM", "SKANU_SEED", "SKANU_BIN",
            "SKANU_GATEWAY_PORT", "SKANU_GATEWAY_SERVICE_HOST", "HTTP", "PATH"});
  ASSERT_EQ(doubts.size(), 2U);
  EXPECT_NE(doubts[0].find("did you mean SKANU_HTTP?"), std::string::npos) << doubts[0];
  EXPECT_NE(doubts[1].find("did you mean SKANU_MAX_STREAMS?"), std::string::npos) << doubts[1];
}

}  // namespace
}  // namespace skanu
