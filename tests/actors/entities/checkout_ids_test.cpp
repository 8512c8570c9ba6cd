// Checkout places orders: the ids, and payments behind the same journal.
#include <set>

#include "tests/support/checkout_fixture.hpp"

namespace skanu {
namespace {

// --- Ids ----------------------------------------------------------------------------------------

TEST_F(checkout_test, ids_are_reserved_durably_before_they_are_handed_out) {
  orders = start<region<order_rules>>(env(service::order), region_limits{});
  const auto payments = keep(system.spawn(scripted_payment, &questions));
  placing = start<checkout>(env(service::order), orders, payments, faults, breaker, id_recovery{});
  const auto early = place();
  EXPECT_TRUE(questions.empty());
  EXPECT_EQ(early.word(), "waiting");
  settle();
  EXPECT_EQ(questions.size(), 1U);
  open();
  settle();
  EXPECT_EQ(early.word(), "created v1");
}

TEST_F(checkout_test, an_order_is_refused_where_no_id_can_be_reserved_and_goes_through_later) {
  orders = start<region<order_rules>>(env(service::order), region_limits{});
  const auto payments = keep(system.spawn(scripted_payment, &questions));
  data.inject({.name = "full", .code = errc::store_full, .times = 2});
  placing = start<checkout>(env(service::order), orders, payments, faults, breaker, id_recovery{});
  settle();
  const auto refused = place();
  settle();
  EXPECT_EQ(refused.word(), "store-full");
  EXPECT_TRUE(questions.empty());
  const auto order = place();
  settle();
  open();
  settle();
  EXPECT_EQ(order.word(), "created v1");
}

TEST_F(checkout_test, ids_that_a_crash_left_undecided_are_rejected_and_never_used_again) {
  start_checkout();
  const auto first = placed();
  place();  // the crash comes during the question to payment
  const auto last_id = questions.back().id;
  stop_checkout();
  disk.lose_everything();
  start_checkout();
  EXPECT_EQ(stored_state<order_state>(service::order, last_id).status, order_status::rejected);
  EXPECT_EQ(stored_state<order_state>(service::order, first.id()).status, order_status::complete);
  const auto next = placed();
  EXPECT_EQ(next.word(), "created v1");
  EXPECT_GT(next.id(), last_id);
  EXPECT_FALSE(stored(service::order, next.id() - 1).empty()) << "an id was left undecided";
}

TEST_F(checkout_test, a_crash_at_every_turn_of_the_disk_leaves_no_id_undecided) {
  for (std::size_t turns = 0; turns < 4; ++turns) {
    SCOPED_TRACE(turns);
    start_checkout();
    const auto from = questions.size();
    place();
    place();
    open(from);
    refuse(from + 1, errc::not_allowed);
    for (std::size_t i = 0; i < turns; ++i) disk.turn(1), run();
    stop_checkout();
    disk.lose_everything();
    questions.clear();
    start_checkout();
    const auto next = placed().id();
    for (entity_id id = 1; id < next; ++id) EXPECT_NE(stored(service::order, id), "") << id;
    stop_checkout();
    questions.clear();
  }
}

TEST_F(checkout_test, leaving_gives_back_the_ids_that_were_not_handed_out) {
  start_checkout();
  const auto last = placed().id();
  EXPECT_TRUE(leave());
  EXPECT_EQ(place().word(), "shutting-down");
  stop_checkout();
  start_checkout();
  EXPECT_EQ(rejected(), 0U);
  EXPECT_EQ(placed().id(), last + 1);
}

TEST_F(checkout_test, leaving_waits_for_the_orders_under_way) {
  start_checkout();
  const auto order = place();
  caf::scoped_actor self{system};
  auto asked_to_leave = self->request(placing, caf::infinite, leave_atom::value);
  settle();
  EXPECT_FALSE(self->has_next_message());
  open();
  settle();
  EXPECT_EQ(order.word(), "created v1");
  bool left = false;
  asked_to_leave.receive([&](bool stored) { left = stored; }, [](caf::error&) {});
  EXPECT_TRUE(left);
}

TEST_F(checkout_test, ids_that_are_stored_already_are_never_handed_out_again) {
  start_checkout();
  placed();
  placed();
  stop_checkout();
  for (const auto* reserved : {"1", "0", "abc", "-1", "99999999999999999999"}) {
    commit c{.of = service::order};
    c.rows.push_back({row_space::meta, std::string(reserved_ids_key), reserved});
    const commit* one = &c;
    ASSERT_EQ(data.write(std::span(&one, 1)).front(), std::nullopt);
    EXPECT_THROW(recover_ids(*data.read(), false), std::runtime_error) << reserved;
  }
}

TEST_F(checkout_test, ids_of_rejected_orders_alone_are_never_handed_out_again) {
  start_checkout();
  place();
  refuse(0, errc::not_allowed);
  settle();
  ASSERT_EQ(rejected(), 1U);
  stop_checkout();
  commit c{.of = service::order};
  c.rows.push_back({row_space::meta, std::string(reserved_ids_key), "0"});
  const commit* one = &c;
  ASSERT_EQ(data.write(std::span(&one, 1)).front(), std::nullopt);
  EXPECT_THROW(recover_ids(*data.read(), false), store_error);
}

// After a loss of stored rows of ids, checkout must not answer 201 with another order's id.
TEST_F(checkout_test, an_order_is_never_given_a_payment_that_is_open_already) {
  checkout_limits limits;
  limits.shared_journal = true;  // between nodes a first question may have been sent twice
  start_checkout(limits);
  const auto order = place();
  questions.at(0).how.answer(accepted{effect::unchanged, questions.at(0).id, 1, nullptr});
  settle();
  EXPECT_EQ(order.word(), "undecodable");
  EXPECT_EQ(rejected(), 1U);
}

TEST_F(checkout_test, an_order_is_never_given_the_id_of_another_one_like_it) {
  start_checkout();
  const auto order = place();
  const auto id = questions.at(0).id;
  tell(orders, id, register_order{coffee});
  settle();
  open();
  settle();
  EXPECT_EQ(order.word(), "undecodable");
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"Ordered"});
  EXPECT_TRUE(leave()) << "it is still at work on it";
}

TEST_F(checkout_test, a_payment_that_is_open_and_an_order_of_that_id_are_left_alone) {
  start_checkout();
  const auto order = place();
  tell(orders, questions.at(0).id, register_order{coffee});
  settle();
  questions.at(0).how.answer(accepted{effect::unchanged, questions.at(0).id, 1, nullptr});
  settle();
  EXPECT_EQ(order.word(), "undecodable");
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"Ordered"});
}

TEST_F(checkout_test, a_damaged_record_of_an_operation_does_not_end_placement) {
  start_checkout();
  commit c{.of = service::order};
  c.rows.push_back({row_space::operations, client_operation(1).key(), "{damaged"});
  const commit* one = &c;
  ASSERT_EQ(data.write(std::span(&one, 1)).front(), std::nullopt);
  EXPECT_EQ(place(under_key(1)).word(), "undecodable");
  EXPECT_EQ(placed().word(), "created v1");
}

// --- With the real payment behind the same journal -------------------------------------------

class shared_journal_test : public checkout_test {
 protected:
  void start_both() {
    checkout_limits limits;
    limits.shared_journal = true;
    orders = start<region<order_rules>>(env(service::order), region_limits{});
    payments = start<region<payment_rules>>(env(service::payment), region_limits{});
    placing = start<checkout>(env(service::order), orders, payments, faults, breaker,
                              recover_ids(*data.read(), limits.shared_journal), limits);
    settle();
  }

  payment_region_actor payments;
};

TEST_F(shared_journal_test, an_order_and_its_payment_need_one_turn_of_the_disk) {
  start_both();
  const auto turns = disk.turns();
  const auto order = place();
  EXPECT_EQ(order.word(), "waiting");
  disk.turn();
  EXPECT_EQ(order.word(), "created v1");
  EXPECT_EQ(disk.turns(), turns + 1);
  EXPECT_EQ(log_of(service::payment), std::vector<std::string>{"PaymentRequested"});
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"Ordered"});
}

// The original called payment before the order was committed: a failed order left an orphan.
TEST_F(shared_journal_test, defect_of_the_original_no_order_without_its_payment) {
  start_both();
  data.inject({.name = "payment", .code = errc::conflicting_commit, .when = [](const commit& c) {
                 return c.of == service::payment;
               }});
  const auto order = place();
  settle();
  EXPECT_EQ(order.word(), "conflicting-commit");
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"OrderRejected"});
  EXPECT_TRUE(log_of(service::payment).empty());
}

TEST_F(shared_journal_test, an_order_fails_as_its_payment_did_in_an_earlier_batch) {
  start_both();
  const auto order = place();
  data.inject({.name = "full", .code = errc::store_full, .when = [](const commit& c) {
                 return c.of == service::payment;
               }});
  while (order.waiting() && disk.turn(1)) {
  }
  EXPECT_EQ(order.word(), "store-full") << "told as a conflict, it was repeated in vain";
  settle();
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"OrderRejected"});
}

// A repeat on a full store must not be answered "still running" until the rejection of the first
// id is stored.
TEST_F(shared_journal_test, a_key_repeated_on_a_full_store_is_told_so_each_time) {
  start_both();
  data.inject({.name = "full", .code = errc::store_full, .times = 1'000'000});
  for (int i = 0; i < 5; ++i) {
    const auto order = place(under_key(1));
    settle();
    EXPECT_EQ(order.word(), "store-full");
  }
  data.heal();
  const auto order = place(under_key(1));
  settle();
  EXPECT_EQ(order.word(), "created v1");
  advance(minutes(1));
  EXPECT_EQ(rejected(), 5U);
  const auto repeat = place(under_key(1));
  settle();
  EXPECT_EQ(repeat.id(), order.id());
}

TEST_F(shared_journal_test, the_disk_that_dies_between_the_two_leaves_an_id_to_reject) {
  start_both();
  place();
  while (log_of(service::payment).empty()) disk.turn(1);
  stop_checkout();
  disk.lose_everything();
  EXPECT_EQ(log_of(service::payment), std::vector<std::string>{"PaymentRequested"});
  EXPECT_TRUE(log_of(service::order).empty());
  start_both();
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"OrderRejected"});
}

}  // namespace
}  // namespace skanu
