// Events, the words on the wire, error codes, replies.
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <thread>

#include "messages/delivery.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/order.hpp"
#include "messages/order_trace.hpp"
#include "messages/payment.hpp"
#include "messages/reply.hpp"
#include "messages/stamp.hpp"

namespace skanu {
namespace {

// Events.

const std::string awkward = "caf\xc3\xa9 \"to go\" \\ \n\t\r\x01 \"eventType\":\"Paid\"";
const order_details details = {101, awkward, 3, 13'500, "card"};
const payment_fields payment = {42, 43, details, payment_status::paid, "01012341234"};
const delivery_fields delivery = {42, 43, 44, 101, awkward, 3, delivery_status::started, "here"};

template <class Event, class Fields>
Event with(const Fields& fields) {
  Event event;
  static_cast<Fields&>(event) = fields;
  return event;
}

pay_cancelled cancelled_payment() {
  auto event = with<pay_cancelled>(payment);
  event.refunded = event.rejected = true;
  return event;
}

const std::string now = "2026-11-22T15:51:42.123Z";

/// A sample of every event type, with no field at its default.
const std::vector<order_event> order_events = {ordered{42, details, order_status::cancelled},
                                               order_cancelled{42, details, order_status::complete},
                                               order_rejected{42},
                                               order_closed{42, *from_rfc3339(now)}};
const std::vector<payment_event> payment_events = {
    with<payment_requested>(payment), with<paid>(payment), cancelled_payment(),
    payment_rejected{42}, payment_closed{42, *from_rfc3339(now)}};
const std::vector<delivery_event> delivery_events = {with<delivery_prepared>(delivery),
                                                     with<delivery_ready>(delivery),
                                                     with<delivery_started>(delivery),
                                                     with<delivered>(delivery),
                                                     with<delivery_cancelled>(delivery),
                                                     with<destination_changed>(delivery),
                                                     delivery_rejected{42}};
const std::vector<stamp_event> stamp_events = {
    stamps_added{"01012341234", -2}, stamps_earned{"01012341234", 42, 3},
    stamps_deducted{"01012341234", 42, -3}, stamps_moved_out{"821012341234", "01012341234", -3},
    stamps_moved_in{"01012341234", "821012341234", 3}};

/// Demands the properties common to all events, for one event of each alternative.
template <class Variant>
void expect_read_back(const std::vector<Variant>& events) {
  ASSERT_EQ(events.size(), std::variant_size_v<Variant>) << "an event type without a sample";
  for (std::size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(events[i].index(), i);
    const auto body = encode_event(events[i], 5, now);
    const auto type = std::visit([](const auto& e) { return e.event_type; }, events[i]);
    EXPECT_EQ(event_type_of(body), type);
    const auto parsed = nlohmann::json::parse(body);
    EXPECT_EQ(decode_event<Variant>(parsed), events[i]) << body;
    const auto header = header_of(parsed);
    EXPECT_EQ(header.type, type);
    EXPECT_EQ(header.version, 5);
    EXPECT_EQ(to_rfc3339(header.at), now);
    EXPECT_TRUE(body.starts_with(R"({"eventType":")" + std::string(type) +
                                 R"(","schema":1,"timestamp":")" + now + R"(","version":5)"));
  }
}

TEST(events, of_orders_are_read_back_the_same) { expect_read_back(order_events); }
TEST(events, of_payments_are_read_back_the_same) { expect_read_back(payment_events); }
TEST(events, of_deliveries_are_read_back_the_same) { expect_read_back(delivery_events); }
TEST(events, of_stamps_are_read_back_the_same) { expect_read_back(stamp_events); }

TEST(events, have_the_names_of_the_original) {
  const auto names = [](const auto& events) {
    std::vector<std::string_view> found;
    for (const auto& event : events)
      found.push_back(std::visit([](const auto& e) { return e.event_type; }, event));
    return found;
  };
  using list = std::vector<std::string_view>;
  EXPECT_EQ(names(order_events),
            (list{"Ordered", "OrderCancelled", "OrderRejected", "OrderClosed"}));
  EXPECT_EQ(names(payment_events),
            (list{"PaymentRequested", "Paid", "PayCancelled", "PaymentRejected", "PaymentClosed"}));
  EXPECT_EQ(names(delivery_events),
            (list{"DeliveryPrepared", "DeliveryReady", "DeliveryStarted", "Delivered",
                  "DeliveryCancelled", "DestinationChanged", "DeliveryRejected"}));
  EXPECT_EQ(names(std::span(stamp_events).first(3)),
            (list{"StampsAdded", "StampsEarned", "StampsDeducted"}));
}

TEST(events, of_joined_accounts_have_names_of_their_own) {
  EXPECT_EQ(encode_event(stamp_events[3], 5, now),
            R"({"eventType":"StampsMovedOut","schema":1,"timestamp":")" + now +
                R"(","version":5,"phoneNumber":"821012341234","toPhoneNumber":"01012341234",)"
                R"("stampQty":-3})");
  EXPECT_EQ(encode_event(stamp_events[4], 5, now),
            R"({"eventType":"StampsMovedIn","schema":1,"timestamp":")" + now +
                R"(","version":5,"phoneNumber":"01012341234","fromPhoneNumber":"821012341234",)"
                R"("stampQty":3})");
}

TEST(events, of_an_older_program_are_read_with_the_new_fields_at_their_defaults) {
  const auto older =
      nlohmann::json::parse(R"({"eventType":"PayCancelled","schema":1,"timestamp":")" + now +
                            R"(","version":2,"id":42})");
  const auto read = std::get<pay_cancelled>(decode_event<payment_event>(older));
  EXPECT_EQ(read.id, 42);
  EXPECT_FALSE(read.refunded);
  EXPECT_EQ(read.phone_number, std::nullopt);
}

TEST(events, of_an_unknown_type_schema_or_shape_are_refused) {
  const auto event = [&](const std::string& front) {
    return "{" + front + R"(,"timestamp":")" + now + R"(","version":1,"id":42})";
  };
  for (const auto& body :
       {event(R"("eventType":"Unheard","schema":1)"), event(R"("eventType":"Ordered","schema":2)"),
        event(R"("eventType":"Ordered")"), event(R"("eventType":"Ordered","schema":"1")"),
        event(R"("eventType":7,"schema":1)"), event(R"("schema":1)"),
        std::string(R"({"eventType":"Ordered","schema":1,"timestamp":"today","version":1})"),
        std::string(R"({"eventType":"Ordered","schema":1,"version":1})"), std::string("[]"),
        std::string("7"), std::string("null")})
    EXPECT_THROW(decode_event<order_event>(nlohmann::json::parse(body)), decode_error) << body;
}

TEST(events, without_a_type_in_front_have_none) {
  for (const auto* body :
       {"", "{", "{}", "eventType", R"({"event)", R"({"eventType")", R"({"eventType":7})",
        R"( {"eventType":"Paid"})", R"({"id":1,"eventType":"Paid"})"})
    EXPECT_EQ(event_type_of(body), "") << body;
}

// Values within messages.

TEST(order_details, are_read_back_the_same) {
  EXPECT_EQ(from_json<order_details>(nlohmann::json::parse(to_json(details))), details);
}

TEST(stamp_entries, are_read_back_the_same) {
  for (const auto& entry : {stamp_entry{7, "StampsEarned", 42, 3, now},
                            stamp_entry{8, "StampsAdded", std::nullopt, -3, now},
                            stamp_entry{9, "StampsMovedIn", std::nullopt, 3, now, "8210123412"}})
    EXPECT_EQ(from_json<stamp_entry>(nlohmann::json::parse(to_json(entry))), entry);
}

TEST(json_strings, of_every_character_are_read_back_the_same) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "\xc3\xa9\xe2\x98\x95\xf0\x9f\x98\x80";
  std::string out;
  append_json_string(out, all);
  EXPECT_EQ(nlohmann::json::parse(out).get<std::string>(), all);
}

TEST(json_integers, of_every_size_are_read_back_the_same) {
  for (const auto n :
       {std::int64_t{0}, std::int64_t{-1}, max_safe_integer, -max_safe_integer,
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    std::string out;
    append_integer(out, n);
    EXPECT_EQ(out, std::to_string(n));
  }
}

// Words on the wire.

template <class Enum>
void expect_words(const std::vector<std::string_view>& words) {
  const auto& list = enum_words<Enum>::list;
  EXPECT_EQ(std::vector<std::string_view>(list.begin(), list.end()), words);
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(word_of(static_cast<Enum>(i)), words[i]);
    EXPECT_EQ(value_of_word<Enum>(words[i]), static_cast<Enum>(i));
  }
  for (const auto* other : {"order complete", "end", "Not Pay ", "CANCELLED", "START ", "?"})
    EXPECT_EQ(value_of_word<Enum>(other), std::nullopt) << other;
}

TEST(words, of_orders_are_the_originals) {
  expect_words<order_status>({"", "Order complete", "Order Cancelled", "Rejected"});
}
TEST(words, of_payments_are_the_originals) {
  expect_words<payment_status>({"", "Not Pay", "END", "CANCEL"});
}
TEST(words, of_deliveries_are_the_originals) {
  expect_words<delivery_status>({"", "Prepare Delivery...", "READY", "START", "END", "CANCEL"});
}
TEST(words, of_traces_are_the_originals_in_the_order_of_their_rank) {
  expect_words<trace_status>({"", "Order END", "PAY END", "DELIVERY READY", "DELIVERY START",
                              "DELIVERY END", "PAY CANCEL", "DELIVERY CANCEL", "ORDER CANCEL"});
}

// Error codes.

TEST(error_codes, are_found_by_their_words) {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(last_of(errc{})); ++i) {
    const auto code = static_cast<errc>(i);
    EXPECT_EQ(errc_named(name_of(code)), code);
    EXPECT_EQ(name_of(code).find_first_not_of("abcdefghijklmnopqrstuvwxyz-"),
              std::string_view::npos);
    words.insert(name_of(code));
  }
  EXPECT_EQ(words.size(), static_cast<std::size_t>(last_of(errc{})) + 1);
  EXPECT_EQ(errc_named("unheard-of"), errc::undecodable);
}

// Replies.

/// Two different outcomes to answer with.
const std::vector<outcome> given = {error{errc::overloaded, "first"},
                                    error{errc::not_found, "another"}};

struct heard {
  std::vector<outcome> outcomes;
};

class hearing final : public reply_sink {
 public:
  explicit hearing(heard& ear) : ear_(ear) {}
  void deliver(outcome result) noexcept override { ear_.outcomes.push_back(std::move(result)); }

 private:
  heard& ear_;
};

TEST(replies, give_the_first_answer_alone) {
  heard ear;
  {
    const reply answer(std::make_unique<hearing>(ear));
    const auto copy = answer;
    copy(given[0]);
    answer(given[1]);
  }
  ASSERT_EQ(ear.outcomes.size(), 1U);
  EXPECT_EQ(std::get<error>(ear.outcomes[0]).code, errc::overloaded);
}

TEST(replies, that_go_away_unanswered_say_so) {
  heard ear;
  {
    reply first(std::make_unique<hearing>(ear));
    const auto last = first;
    first = reply();
    EXPECT_TRUE(ear.outcomes.empty()) << "a copy can still answer";
  }
  ASSERT_EQ(ear.outcomes.size(), 1U);
  EXPECT_EQ(std::get<error>(ear.outcomes[0]).code, errc::entity_failed);
}

TEST(replies, to_nobody_are_nothing) {
  const reply nobody;
  EXPECT_FALSE(nobody);
  nobody(given[1]);
}

TEST(replies, of_two_threads_are_one) {
  for (int i = 0; i < 100; ++i) {
    heard ear;
    {
      const reply answer(std::make_unique<hearing>(ear));
      std::thread other([copy = answer] { copy(given[0]); });
      answer(given[1]);
      other.join();
    }
    EXPECT_EQ(ear.outcomes.size(), 1U);
  }
}

TEST(operation_ids, of_clients_and_gateways_have_keys_of_their_own) {
  operation_id id;
  id.bytes = {0, 1, 255};
  EXPECT_EQ(id.key().size(), 17U);
  auto of_client = id;
  of_client.from_client = true;
  EXPECT_NE(id.key(), of_client.key());
  EXPECT_EQ(id.key().substr(1), of_client.key().substr(1));
}

}  // namespace
}  // namespace skanu
