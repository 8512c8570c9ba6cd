// What operators see of made-up data under /admin.
#include <gtest/gtest.h>

#include "actors/rules/consumers.hpp"
#include "http/admin.hpp"
#include "persistence/consumer_keys.hpp"
#include "tests/support/small_shop.hpp"

namespace skanu {
namespace {

class admin_test : public testing::Test {
 protected:
  admin_test() {
    service_directory directory;
    for (const auto s : all_services) {
      const auto i = static_cast<std::size_t>(s);
      directory.readers[i] = [this] { return shop.data().read(); };
      view.stores[i] = &shop.data();
    }
    view.breakers = [] { return std::string("{}"); };
    to.emplace(std::move(directory));
  }

  /// What it explains of an order.
  nlohmann::json told(entity_id id) {
    const httplib::Request in;
    httplib::Response out;
    const auto parameter = std::to_string(id);
    admin::explain(call(in, out, *to, parameter), view);
    return nlohmann::json::parse(out.body);
  }

  /// Stores a letter of the stamps'.
  void set_aside(entity_id account, log_offset offset, std::string event) {
    const dead_letter letter{std::string(consumers::stamp_follows_payment.name),
                             "payment",
                             offset,
                             account,
                             5,
                             "a test's",
                             "",
                             std::move(event)};
    commit c{.of = service::stamp};
    c.rows.push_back({row_space::dead_letters,
                      dead_letter_prefix(letter.consumer) + ordered_key(letter.entity) +
                          ordered_key(letter.offset),
                      to_json(letter)});
    const auto* one = &c;
    ASSERT_EQ(shop.data().write({&one, 1}).front(), std::nullopt);
  }

  /// One page, from a letter on; "" is the first.
  nlohmann::json letters(const std::string& size, const std::string& after) {
    httplib::Request in;
    in.params.emplace("size", size);
    if (!after.empty()) in.params.emplace("after", after);
    httplib::Response out;
    admin::dead_letters(call(in, out, *to, ""), view);
    return nlohmann::json::parse(out.body);
  }

  small_shop shop;
  admin_view view;
  std::optional<gateway> to;
};

TEST_F(admin_test, what_another_order_of_the_same_customer_earned_or_waits_for_is_not_its_own) {
  for (const entity_id id : {1, 2}) {
    shop.place(id, stages::phone);
    shop.pay(id, stages::phone);
    if (id == 1) shop.work_off_all();
  }
  shop.work_off(consumers::delivery_follows_payment);
  const auto waits = std::string("the stamp account has not been told yet");
  const auto steps = told(2)["openSteps"].dump();
  EXPECT_NE(steps.find(waits), steps.npos) << steps;
  EXPECT_EQ(told(1)["openSteps"].dump().find(waits), std::string::npos);
  const auto paid = shop.data().read()->events(service::payment, 1, 100).back();
  set_aside(stages::account, paid.offset, paid.body);
  EXPECT_EQ(told(2)["deadLetters"].size(), 1U);
  EXPECT_EQ(told(1)["deadLetters"].size(), 0U);
}

TEST_F(admin_test, the_next_page_begins_with_the_very_next_letter) {
  for (log_offset at = 7; at <= 9; ++at) set_aside(stages::account, at, "{}");
  std::vector<std::string> got;
  for (std::string after; got.size() < 3;) {
    const auto page = letters("1", after);
    ASSERT_EQ(page["_embedded"]["deadLetters"].size(), 1U);
    after = page["_embedded"]["deadLetters"][0]["id"];
    EXPECT_EQ(page["_links"].contains("next"), got.size() < 2);
    got.push_back(after);
  }
  const std::string name = "stamp-follows-payment:" + std::to_string(stages::account);
  EXPECT_EQ(got, (std::vector<std::string>{name + ":7", name + ":8", name + ":9"}));
}

}  // namespace
}  // namespace skanu
