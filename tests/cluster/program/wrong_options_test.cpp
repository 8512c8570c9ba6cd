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
  EXPECT_EQ(nearest("UP", {"TO"}), "") << "no letter is the same";
  EXPECT_EQ(nearest("PORT", {"CORS"}), "") << "half of the letters is too much";
  EXPECT_EQ(nearest("expl", {"replay", "explain"}), "explain");
}

TEST(wrong_options, a_swap_of_neighbours_counted_as_two_edits) {
  EXPECT_EQ(nearest("DRIAN", {"TRAIN", "DRAIN"}), "DRAIN");
  EXPECT_EQ(nearest("abcd", {"abXY", "bacd"}), "bacd");
}

TEST(wrong_options, each_variable_that_no_option_has_is_named_but_those_of_scripts_and_platform) {
  CLI::App app;
  std::string text;
  auto* serve = app.add_subcommand("serve");
  serve->add_option("--http", text)->envname("SKANU_HTTP");
  serve->add_option("--drain", text)->envname("SKANU_DRAIN");
  serve->add_option("--max-streams", text)->envname("SKANU_MAX_STREAMS");
  const auto words =
      unknown_variables(app, {"SKANU_HTTP", "SKANU_DRIAN", "SKANU_MAXSTREAM", "SKANU_SEED",
                              "SKANU_BIN", "SKANU_GATEWAY_PORT", "SKANU_GATEWAY_SERVICE_HOST",
                              "SKANU_GATEWAY_SERVICE_PORT", "SKANU_PORT", "HTTP", "PATH"});
  EXPECT_EQ(words,
            (std::vector<std::string>{
                "no option has the variable SKANU_DRIAN; did you mean SKANU_DRAIN?",
                "no option has the variable SKANU_MAXSTREAM; did you mean SKANU_MAX_STREAMS?",
                "no option has the variable SKANU_SEED", "no option has the variable SKANU_PORT"}));
}

}  // namespace
}  // namespace skanu
