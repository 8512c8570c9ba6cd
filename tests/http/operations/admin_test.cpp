// The operators' view of made-up data under /admin.
#include <gtest/gtest.h>

#include "actors/rules/consumers.hpp"
#include "http/operations/admin.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "persistence/tables/sealed_value.hpp"
#include "tests/support/small_shop.hpp"
#include "tests/support/write_commit.hpp"

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
    view.letters = letter_names("a test's secret");
    view.breakers = [] { return std::string("{}"); };
    to.emplace(std::move(directory), seeds);
  }

  /// The explanation of an order.
  nlohmann::json told(entity_id id) {
    const httplib::Request in;
    httplib::Response out;
    const auto parameter = std::to_string(id);
    exchange x{in, out};
    admin::explain(call(x, *to, parameter, {}), view);
    return nlohmann::json::parse(out.body);
  }

  /// Stores a dead letter of the stamp service.
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
    write_commit(shop.data(), c);
  }

  /// Flips a bit in a stored letter of the stamps'.
  void damage(entity_id account, log_offset offset) {
    constexpr table letters{service::stamp, table_kind::dead_letters};
    const auto key = dead_letter_prefix(consumers::stamp_follows_payment.name) +
                     ordered_key(account) + ordered_key(offset);
    std::string stored;
    append_sealed(stored, letters, key, shop.value(letters, key));
    stored[stored.size() / 2] ^= 4;
    shop.put_as_it_is(letters, key, stored);
  }

  /// One page of letters after the letter `after`; "" is the first page.
  nlohmann::json letters(const std::string& size, const std::string& after) {
    httplib::Request in;
    in.params.emplace("size", size);
    if (!after.empty()) in.params.emplace("after", after);
    httplib::Response out;
    exchange x{in, out};
    admin::dead_letters(call(x, *to, "", {}), view);
    return nlohmann::json::parse(out.body);
  }

  small_shop shop;
  admin_view view;
  seed_source seeds{1};
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
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(view.letters.read(got[i]), (letter_name{"stamp-follows-payment", stages::account,
                                                      static_cast<log_offset>(7 + i)}));
}

TEST_F(admin_test, a_letter_shows_a_phone_number_in_eight_places) {
  const auto phone = phone_of_account(stages::account);
  const auto dashed = phone.substr(0, 3) + "-" + phone.substr(3, 4) + "-" + phone.substr(7);
  set_aside(stages::account, 1,
            R"({"id":1,"timestamp":"2026-11-26T16:09:30.860Z","phoneNumber":")" + phone +
                R"(","destination":"call )" + dashed + R"(","more":[{"phoneNumber":)" +
                std::to_string(stages::account) + "}]}");
  set_aside(stages::account, 2, "no JSON, but " + phone + " and " + dashed);
  const auto masked = masked_phone(phone);
  const auto page = letters("2", "");
  const auto text = page.dump();
  for (const auto& whole : {phone, dashed, std::to_string(stages::account)})
    EXPECT_EQ(text.find(whole), text.npos) << text;
  const auto& both = page["_embedded"]["deadLetters"];
  ASSERT_EQ(both.size(), 2U);
  for (const auto& letter : both) EXPECT_EQ(letter["entity"], masked);
  EXPECT_EQ(both[0]["event"]["timestamp"], "2026-11-26T16:09:30.860Z");
  EXPECT_EQ(both[0]["event"]["id"], 1);
  const auto next = letters("1", both[0]["id"]).dump();
  EXPECT_EQ(next.find(phone), next.npos) << next;
}

// The key of the row, which is all that is left of it, holds the number.
TEST_F(admin_test, a_damaged_letter_is_named_without_its_phone_number) {
  set_aside(stages::account, 7, "{}");
  damage(stages::account, 7);
  const auto page = letters("2", "");
  const auto text = page.dump();
  for (const auto& whole : {phone_of_account(stages::account), std::to_string(stages::account)})
    EXPECT_EQ(text.find(whole), text.npos) << text;
  ASSERT_EQ(page["damaged"].size(), 1U) << text;
  EXPECT_EQ(view.letters.read(page["damaged"][0].get<std::string>()),
            (letter_name{"stamp-follows-payment", stages::account, 7}));
}

// Letters behind damaged letters were on no page.
TEST_F(admin_test, damaged_letters_take_their_places_on_the_pages_and_hide_no_other) {
  for (log_offset at = 1; at <= 6; ++at) set_aside(stages::account, at, "{}");
  for (const log_offset at : {1, 2, 3, 5}) damage(stages::account, at);
  for (const auto* size : {"1", "2", "4", "100"}) {
    std::vector<log_offset> shown, damaged;
    std::string after;
    for (bool more = true; more;) {
      const auto page = letters(size, after);
      const auto note = [&](const std::string& name, std::vector<log_offset>& list) {
        list.push_back(view.letters.read(name)->offset);
        if (list.back() > (after.empty() ? 0 : view.letters.read(after)->offset)) after = name;
      };
      for (const auto& letter : page["_embedded"]["deadLetters"]) note(letter["id"], shown);
      for (const auto& name : page.value("damaged", nlohmann::json::array())) note(name, damaged);
      more = page["_links"].contains("next");
      ASSERT_LE(shown.size() + damaged.size(), 6U) << size;
    }
    EXPECT_EQ(shown, (std::vector<log_offset>{4, 6})) << size;
    EXPECT_EQ(damaged, (std::vector<log_offset>{1, 2, 3, 5})) << size;
  }
}

TEST(letter_names, lead_back_and_hide_accounts_only) {
  const letter_names names("one"), others("two");
  const auto phone = std::string("01012345678");
  const letter_name of_account{"stamp-follows-payment", account_id_of(phone), 7};
  const auto text = names.text_of(of_account);
  EXPECT_EQ(text.find(phone), text.npos) << text;
  EXPECT_EQ(names.read(text), of_account);
  EXPECT_NE(others.read(text), of_account);
  EXPECT_NE(names.text_of({"stamp-follows-payment", of_account.entity, 8}), text);
  const letter_name of_order{"delivery-follows-order", 1234567890123456, 7};
  EXPECT_EQ(names.text_of(of_order), "delivery-follows-order:1234567890123456:7");
  EXPECT_EQ(names.read(names.text_of(of_order)), of_order);
  const letter_name of_nobody{"stamp-follows-payment", 0, 7};
  EXPECT_EQ(names.read(names.text_of(of_nobody)), of_nobody);
  for (const auto* wrong :
       {"", ":", "::", "stamp-follows-payment", "stamp-follows-payment:1",
        "stamp-follows-payment:0123456789abcdeg:1", "stamp-follows-payment:0123456789abcdef:x"})
    EXPECT_EQ(names.read(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace skanu
