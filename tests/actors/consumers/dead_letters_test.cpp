// The box of a consumer's dead letters: what is stored of them, and the errands.
#include "actors/consumers/dead_letters.hpp"

#include <gtest/gtest.h>

#include "persistence/log/consumer_keys.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/small_shop.hpp"
#include "tests/support/write_commit.hpp"

namespace skanu {
namespace {

const std::string by = "stamp-follows-payment";

dead_letter letter_of(entity_id entity, log_offset offset, std::int64_t attempts = 1) {
  return {by, "payment", offset, entity, attempts, "a test's", "before", "{}"};
}

class dead_letters_test : public actor_fixture {
 protected:
  dead_letters_test() { box.recover(*data.read(), by); }

  static dead_letter stored_in(const row_write& row) {
    return from_json<dead_letter>(nlohmann::json::parse(row.value.value()));
  }
  static std::string key_of(const dead_letter& l) {
    return dead_letter_prefix(l.consumer) + ordered_key(l.entity) + ordered_key(l.offset);
  }
  void store_text(const dead_letter& named, const std::string& text) {
    write_rows(data, service::stamp, {{row_space::dead_letters, key_of(named), text}});
  }
  void store(const dead_letter& l) { store_text(l, to_json(l)); }

  letter_errand errand(letter_name name, bool discard = false) const {
    return {.order = {std::move(name), discard}, .asked = request_of(told)};
  }
  std::string now() const { return to_rfc3339(wall_clock); }

  dead_letter_box box{env(service::stamp), service::stamp, {milliseconds(10), seconds(10)}};
  asked told;
};

TEST_F(dead_letters_test, bear_the_time_of_their_last_change) {
  box.set_aside(letter_of(1, 1));
  const auto rows = box.take_rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(stored_in(rows[0]).timestamp, now());
  const auto discarded = box.discarded(letter_of(1, 1));
  ASSERT_EQ(discarded.size(), 2U);
  EXPECT_EQ(stored_in(discarded[1]).timestamp, now());
  auto failed = errand({by, 1, 1});
  failed.letter = letter_of(1, 1);
  const auto again = stored_in(box.failed_again(failed, "why").at(0));
  EXPECT_EQ(again.timestamp, now());
  EXPECT_EQ(again.attempts, 2);
  EXPECT_EQ(again.reason, "why");
}

TEST_F(dead_letters_test, an_errand_of_nobody_is_tried_again_ever_later_and_soon_after_a_success) {
  const auto next = dead_letter_box::next_of(1);
  const auto failed = [&] { return box.finish(next, error{errc::store_full, {}}); };
  std::optional<std::chrono::milliseconds> wait;
  for (int i = 0; i < 10; ++i) {
    wait = failed();
    ASSERT_TRUE(wait);
    EXPECT_LE(*wait, milliseconds(10 << i)) << i;
    EXPECT_GE(*wait, milliseconds(5 << i)) << i;
  }
  box.finish(next, accepted{});
  EXPECT_LE(failed(), milliseconds(10));
}

TEST_F(dead_letters_test, an_errand_of_an_operator_that_fails_is_tried_once) {
  EXPECT_EQ(box.finish(errand({by, 1, 1}), error{errc::store_full, {}}), std::nullopt);
  EXPECT_EQ(told.word(), "store-full");
}

// Zero stands for the entity of every unreadable event: such events do not wait for one another,
// neither before a restart nor behind one.
TEST_F(dead_letters_test, one_without_an_entity_parks_nothing_after_a_restart) {
  store(letter_of(0, 1));
  store(letter_of(7, 2));
  dead_letter_box again{env(service::stamp), service::stamp, {}};
  again.recover(*data.read(), by);
  EXPECT_FALSE(again.parks(0));
  EXPECT_TRUE(again.parks(7));
}

TEST_F(dead_letters_test, one_behind_another_may_be_discarded_and_not_replayed) {
  store(letter_of(1, 1));
  store(letter_of(1, 2, 0));
  box.add(errand({by, 1, 2}));
  EXPECT_FALSE(box.next_errand());
  EXPECT_EQ(told.word(), "not-allowed");
  box.add(errand({by, 1, 2}, true));
  const auto found = box.next_errand();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->letter.offset, 2);
}

TEST_F(dead_letters_test, one_that_cannot_be_read_may_be_discarded_and_not_replayed) {
  store_text(letter_of(1, 1), R"({"consumer":7})");
  box.add(errand({by, 1, 1}));
  EXPECT_FALSE(box.next_errand());
  EXPECT_EQ(told.word(), "undecodable");
  box.add(errand({by, 1, 1}, true));
  const auto found = box.next_errand();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->letter.consumer, by);
  EXPECT_EQ(found->letter.entity, 1);
  EXPECT_EQ(found->letter.offset, 1);
  EXPECT_FALSE(found->letter.reason.empty());
}

TEST_F(dead_letters_test, one_that_is_damaged_may_be_discarded_and_not_replayed) {
  small_shop shop;
  shop.put_as_it_is({service::stamp, table_kind::dead_letters}, key_of(letter_of(1, 1)), "damaged");
  const service_environment own{shop.data(), disk, metrics.of(service::stamp), seeds,
                                [this] { return wall_clock; }};
  dead_letter_box of_shop{own, service::stamp, {}};
  of_shop.add(errand({by, 1, 1}));
  EXPECT_FALSE(of_shop.next_errand());
  EXPECT_EQ(told.word(), "damaged");
  of_shop.add(errand({by, 1, 1}, true));
  const auto found = of_shop.next_errand();
  ASSERT_TRUE(found);
  EXPECT_EQ(name_of(found->letter), (letter_name{by, 1, 1}));
}

TEST_F(dead_letters_test, errands_without_a_letter_hold_up_no_other) {
  store(letter_of(7, 2));
  box.add(dead_letter_box::next_of(1));
  box.add(errand({by, 7, 2}));
  const auto found = box.next_errand();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->letter.entity, 7);
}

}  // namespace
}  // namespace skanu
