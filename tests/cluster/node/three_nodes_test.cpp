// Three whole nodes in one process and in virtual time, without a socket, a file or a thread.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/support/seed.hpp"
#include "tests/support/virtual_cluster.hpp"

namespace skanu {
namespace {

const std::map<std::string, std::vector<service>> three_nodes{
    {"counter", {service::order, service::ordertrace}},
    {"till", {service::payment, service::stamp}},
    {"kitchen", {service::delivery}}};

const place_order coffee{
    {.product_id = 1, .product_name = "Americano", .qty = 2, .cost = 9'000, .payment_type = "cash"},
    "01012341234"};

/// Orders, payments and cancels by chance at the counter, while cables are cut and mended.
class run_of_orders {
 public:
  explicit run_of_orders(std::uint64_t seed) : chance_(seed), cluster_(three_nodes, chance_()) {}

  void connect() {
    ASSERT_TRUE(cluster_.advance_until([this] {
      auto& counter = cluster_.node("counter");
      return counter.sees(service::payment) && counter.sees(service::delivery) &&
             cluster_.node("kitchen").sees(service::payment);
    }));
  }

  void act(int times) {
    for (int i = 0; i < times; ++i) {
      switch (chance_() % 8) {
        case 0: mend_cables(); break;
        case 1: cut_cable(); break;
        case 2: tell(order_command(cancel_order{})); break;
        case 3:
        case 4: tell(payment_command(update_payment{})); break;
        default: place();
      }
      cluster_.advance(milliseconds(5 * (1 + chance_() % 60)));
    }
    mend_cables();
  }

  void place() {
    asked a;
    caf::anon_send(cluster_.node("counter").actors->checkout_handle(), coffee,
                   request_of(a, under_key(static_cast<unsigned char>(++keys_))));
    placed_.push_back(a);
  }

  template <class Command>
  asked tell(const Command& what) {
    const auto known = ids();
    if (known.empty()) return {};
    const auto& a = told_.emplace_back();
    caf::anon_send(cluster_.node("counter").actors->directory().entities.of<Command>(),
                   known[chance_() % known.size()], what, request_of(a));
    return a;
  }

  /// The ids of the acknowledged orders.
  std::vector<entity_id> ids() const {
    std::vector<entity_id> known;
    for (const auto& a : placed_)
      if (!a.waiting() && std::holds_alternative<accepted>(a.answer())) known.push_back(a.id());
    return known;
  }

  template <class State>
  State stored(const std::string& node, service s, entity_id id) {
    const auto document = cluster_.node(node).data.read()->entity(s, id);
    return document ? decode_document<State>(*document) : State{};
  }

  /// True if each order is answered, and each acknowledged order has its end on all nodes: a paid
  /// one is being prepared, and a cancelled one's payment is cancelled.
  bool is_consistent() {
    for (const auto* asked_for : {&placed_, &told_})
      if (std::ranges::any_of(*asked_for, &asked::waiting)) return false;
    return std::ranges::all_of(ids(), [this](entity_id id) {
      const auto o = stored<order_state>("counter", service::order, id);
      const auto p = stored<payment_state>("till", service::payment, id);
      const auto d = stored<delivery_state>("kitchen", service::delivery, id);
      if (o.status == order_status::cancelled) return p.status == payment_status::cancelled;
      if (p.status == payment_status::paid) return d.status != delivery_status::none;
      return p.status != payment_status::none;
    });
  }
  bool becomes_consistent() {
    return cluster_.advance_until([this] { return is_consistent(); });
  }

  /// True if an order is acknowledged within 20 virtual seconds.
  bool takes_orders_again() {
    const auto before = ids().size();
    for (int i = 0; i < 20 && ids().size() == before; ++i) {
      place();
      cluster_.advance(seconds(1));
    }
    return ids().size() > before;
  }

  /// All that happened: each log's events with their times, and each answer.
  std::string history() {
    std::ostringstream all;
    for (const auto& [name, services] : three_nodes)
      for (const auto s : services)
        for (const auto& e : cluster_.node(name).data.read()->events(s, 1, 100'000))
          all << name << ' ' << name_of(s) << ' ' << e.offset << ' ' << e.body << '\n';
    for (const auto& a : placed_) {
      all << a;
      if (!a.waiting())
        if (const auto* e = std::get_if<error>(&a.answer())) all << ' ' << e->detail;
      all << '\n';
    }
    return all.str();
  }

 private:
  void cut_cable() {
    const std::pair<const char*, const char*> pairs[] = {
        {"counter", "till"}, {"counter", "kitchen"}, {"kitchen", "till"}};
    const auto& [one, other] = pairs[chance_() % 3];
    cluster_.network.between(one, other).cut = true;
  }
  /// Mends all cables. A connection that lost bytes does not go on: it ends, as TCP's does.
  void mend_cables() {
    for (const auto& [one, services] : three_nodes)
      for (const auto& [other, theirs] : three_nodes)
        if (auto& between = cluster_.network.between(one, other);
            one < other && std::exchange(between.cut, false))
          between.close();
  }

  std::mt19937_64 chance_;
  virtual_cluster cluster_;
  std::vector<asked> placed_, told_;
  int keys_ = 0;
};

std::string history_of(std::uint64_t seed) {
  run_of_orders run(seed);
  run.connect();
  run.act(80);
  EXPECT_TRUE(run.takes_orders_again());
  EXPECT_TRUE(run.becomes_consistent()) << run.history();
  return run.history();
}

TEST(three_nodes, an_order_goes_from_the_counter_through_till_and_kitchen) {
  run_of_orders run(1);
  run.connect();
  run.place();
  ASSERT_TRUE(run.becomes_consistent());
  ASSERT_EQ(run.ids(), std::vector<entity_id>{1}) << run.history();
  const auto paid = run.tell(payment_command(update_payment{}));
  ASSERT_TRUE(run.becomes_consistent());
  EXPECT_EQ(paid.word(), "changed v2");
  EXPECT_EQ(run.stored<delivery_state>("kitchen", service::delivery, 1).status,
            delivery_status::preparing);
}

TEST(three_nodes, a_run_with_cut_cables_repeats_itself_from_its_seed) {
  const auto seed = seed_of_this_run();
  std::string before;
  for (std::uint64_t i = 0; i < 10; ++i) {  // one run alone may meet few decisions by chance
    const auto history = history_of(seed + i);
    EXPECT_EQ(history, history_of(seed + i)) << i;
    EXPECT_NE(history, before) << "the history follows from the seed";
    before = history;
  }
}

}  // namespace
}  // namespace skanu
