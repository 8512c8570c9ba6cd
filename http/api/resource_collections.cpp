#include "http/api/resource_collections.hpp"

#include "messages/delivery.hpp"
#include "messages/order.hpp"
#include "messages/order_trace.hpp"
#include "messages/payment.hpp"
#include "messages/stamp.hpp"

namespace skanu {

namespace {

/// Looks for the words of the document: a quote of a client's text is escaped, and matches nothing.
bool can_be_cancelled(std::string_view order) {
  return order.find(R"("orderStatus":"Order Cancelled")") == order.npos &&
         order.find(R"("delivered":true)") == order.npos;
}

}  // namespace

const collection order_collection{service::order,
                                  "orders",
                                  status_words<order_status>(order_status::rejected),
                                  nullptr,
                                  {{"payment", "payments"},
                                   {"delivery", "deliveries"},
                                   {"trace", "orderTraces"},
                                   {"cancel", "orders", {}, can_be_cancelled}},
                                  true};
const collection payment_collection{
    service::payment,      "payments", status_words<payment_status>(), nullptr,
    {{"order", "orders"}}, true};
const collection delivery_collection{service::delivery,
                                     "deliveries",
                                     status_words<delivery_status>(),
                                     nullptr,
                                     {{"order", "orders"}}};
const collection stamp_collection{
    service::stamp, "stamps", nullptr, phone_of_account, {{"entries", "stamps", "/entries"}}};
const collection trace_collection{service::ordertrace,
                                  "orderTraces",
                                  status_words<trace_status>(),
                                  nullptr,
                                  {{"order", "orders"}, {"events", "orderTraces", "/events"}},
                                  true};

}  // namespace skanu
