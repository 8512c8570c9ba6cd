#include "actors/audit/order_picture.hpp"

#include "actors/rules/consumers.hpp"
#include "messages/event.hpp"

namespace skanu {

namespace {

class explanation {
 public:
  explicit explanation(const order_picture& p) : p_(p) {}

  std::vector<std::string> steps() && {
    for (const auto& letter : p_.letters)
      if (letter.attempts > 0)
        say(letter.consumer + " could not carry out " + std::string(event_type_of(letter.event)) +
            " (" + letter.follows + "'s log, offset " + std::to_string(letter.offset) +
            "): replay or discard its dead letter");
    main_step();
    stamps();
    trace();
    if (steps_.empty()) say(ending());
    return std::move(steps_);
  }

 private:
  void say(std::string what) { steps_.push_back(std::move(what)); }

  bool away(service s) {
    if (!p_.is_away(s)) return false;
    say("the node of " + std::string(name_of(s)) + " is away: what it has cannot be said");
    return true;
  }

  void main_step() {
    if (away(service::order)) return;
    if (!p_.order) return say("it is being placed, or its placement is still to be decided");
    if (away(service::payment)) return;
    if (!p_.payment) return say("its payment is missing");
    const bool cancelled = p_.order->status == order_status::cancelled;
    const auto payment = p_.payment->status;
    if (cancelled && payment != payment_status::cancelled)
      return not_told<order_cancelled>("the payment", "of the cancellation",
                                       consumers::payment_follows_order);
    if (payment == payment_status::not_paid) return say("payment is waited for");
    if (away(service::delivery)) return;
    const auto made = p_.delivery ? p_.delivery->status : delivery_status::none;
    if (cancelled || payment == payment_status::cancelled) return after_a_cancel(made, cancelled);
    after_payment(made);
  }

  void after_a_cancel(delivery_status made, bool by_order) {
    if (made == delivery_status::none || made == delivery_status::ended ||
        made == delivery_status::cancelled)
      return;
    if (by_order)
      return not_told<order_cancelled>("the kitchen", "of the cancellation",
                                       consumers::delivery_follows_order);
    not_told<pay_cancelled>("the kitchen", "of the cancellation",
                            consumers::delivery_follows_payment);
  }

  void after_payment(delivery_status made) {
    switch (made) {
      case delivery_status::none:
        return not_told<paid>("the kitchen", "", consumers::delivery_follows_payment);
      case delivery_status::preparing: return say("the kitchen is making it");
      case delivery_status::ready: return say("it is ready and waits to be taken away");
      case delivery_status::started: return say("it is on its way");
      case delivery_status::cancelled: return;
      case delivery_status::ended: break;
    }
    if (!p_.order->delivered)
      not_told<delivered>("the order", "of its delivery", consumers::order_follows_delivery);
    if (!p_.payment->closed)
      not_told<delivered>("the payment", "of its delivery", consumers::payment_follows_delivery);
  }

  void stamps() {
    if (p_.payment && p_.payment->phone_number && p_.payment->status == payment_status::paid &&
        !away(service::stamp) && p_.stamps_earned == false)
      not_told<paid>("the stamp account", "", consumers::stamp_follows_payment);
  }

  void trace() {
    if (p_.order && !away(service::ordertrace) && !p_.trace) say("the trace does not show it yet");
  }

  /// Says that a consumer has not reached the event yet, and how many events behind the consumer
  /// is, as far as known.
  template <class Event>
  void not_told(std::string_view whom, std::string_view of_what, const consumer& by) {
    std::string text(whom);
    text += " has not been told";
    if (!of_what.empty()) text.append(" ").append(of_what);
    text += " yet";
    const auto position = p_.positions.find(std::string(by.name));
    for (const auto& e : p_.events) {
      if (e.of != by.follows || e.type != Event::event_type || position == p_.positions.end())
        continue;
      const auto behind = e.offset - position->second;
      if (behind > 0)
        text.append(": ")
            .append(name_of(by.of))
            .append("'s position in ")
            .append(name_of(by.follows))
            .append("'s log is ")
            .append(std::to_string(behind))
            .append(" behind it");
    }
    say(std::move(text));
  }

  std::string ending() const {
    if (p_.order->status == order_status::cancelled)
      return p_.payment->refunded ? "nothing is open: the order is cancelled and refunded"
                                  : "nothing is open: the order is cancelled";
    if (p_.payment->status == payment_status::cancelled)
      return "nothing is open: its payment is cancelled, and the order may be";
    if (p_.delivery->status == delivery_status::cancelled)
      return "nothing is open: its delivery is cancelled";
    return "nothing is open: it was delivered";
  }

  const order_picture& p_;
  std::vector<std::string> steps_;
};

}  // namespace

std::vector<std::string> open_steps(const order_picture& p) { return explanation(p).steps(); }

}  // namespace skanu
