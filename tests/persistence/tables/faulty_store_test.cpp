// The fault-injecting store keeps the promises of its header.
#include "persistence/tables/faulty_store.hpp"

#include <gtest/gtest.h>

#include "tests/support/store_backends.hpp"
#include "tests/support/store_model.hpp"

namespace skanu {
namespace {

constexpr service order = service::order;

class faulty_store_test : public testing::Test {
 protected:
  std::vector<commit_result> write(std::vector<const commit*> batch) { return store_.write(batch); }
  bool is_there(entity_id id) const { return store_.read()->entity(order, id).has_value(); }

  faulty_store store_{all_backends().at(0).open({}, {order}, 0)};
  commit_maker orders_{order};
};

TEST_F(faulty_store_test, passes_everything_on_without_a_fault) {
  const auto c = orders_.next(1);
  EXPECT_EQ(write({&c}), std::vector<commit_result>(1));
  EXPECT_TRUE(is_there(1));
  EXPECT_EQ(store_.services(), std::vector{order});
  EXPECT_EQ(store_.hits("none"), 0U);
}

TEST_F(faulty_store_test, fails_the_next_writes_before_anything_is_stored) {
  store_.inject({.name = "full", .code = errc::store_full, .times = 2});
  const auto c = orders_.next(1), other = orders_.next(2);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(write({&c, &other}), std::vector<commit_result>(2, errc::store_full));
  EXPECT_FALSE(is_there(1));
  EXPECT_EQ(store_.hits("full"), 2U);
  EXPECT_EQ(write({&c, &other}), std::vector<commit_result>(2));
}

TEST_F(faulty_store_test, fails_a_write_after_it_was_stored) {
  store_.inject({.name = "lost", .at = fault_point::after_write, .code = errc::outcome_unknown});
  const auto c = orders_.next(1);
  EXPECT_EQ(write({&c}).at(0), errc::outcome_unknown);
  EXPECT_TRUE(is_there(1));
}

TEST_F(faulty_store_test, waits_for_the_commit_it_is_meant_for) {
  store_.inject({.name = "second", .when = [](const commit& c) {
                   return !c.changes.empty() && c.changes[0].id == 2;
                 }});
  const auto first = orders_.next(1), second = orders_.next(2), third = orders_.next(3);
  EXPECT_EQ(write({&first}).at(0), std::nullopt);
  EXPECT_EQ(write({&second, &third}), std::vector<commit_result>(2, errc::store_failed));
  EXPECT_FALSE(is_there(3)) << "the whole batch";
}

TEST_F(faulty_store_test, refuses_the_commit_alone_where_a_database_would) {
  store_.inject({.name = "conflict", .code = errc::conflicting_commit, .when = [](const commit& c) {
                   return c.changes.at(0).id == 2;
                 }});
  const auto first = orders_.next(1), second = orders_.next(2), third = orders_.next(3);
  EXPECT_EQ(write({&first, &second, &third}),
            (std::vector<commit_result>{std::nullopt, errc::conflicting_commit, std::nullopt}));
  EXPECT_FALSE(is_there(2));
}

TEST_F(faulty_store_test, fails_reads_and_forgets_what_was_healed) {
  store_.inject({.name = "unreadable", .at = fault_point::read, .times = 1'000});
  EXPECT_THROW(store_.read(), store_error);
  store_.heal();
  EXPECT_NO_THROW(store_.read());
  EXPECT_EQ(store_.hits("unreadable"), 1U);
}

}  // namespace
}  // namespace skanu
