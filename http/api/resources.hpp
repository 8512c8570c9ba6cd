// The handlers of every resource. A handler translates a request into a command or a read, and the
// result into HTTP. No rule lives here.
#pragma once

#include "http/api/call.hpp"

namespace skanu {

namespace orders {
void place(const call& c);
void show(const call& c);
void cancel(const call& c);
void list(const call& c);
}  // namespace orders

namespace payments {
void pay(const call& c);
void show(const call& c);
void update(const call& c);
void cancel(const call& c);
void list(const call& c);
}  // namespace payments

namespace deliveries {
void show(const call& c);
void update(const call& c);
void list(const call& c);
}  // namespace deliveries

namespace stamps {
void add(const call& c);
void show(const call& c);
void entries(const call& c);
void list(const call& c);
}  // namespace stamps

namespace order_traces {
void show(const call& c);
void find_by_order(const call& c);
void events(const call& c);
void stream(const call& c);
void list(const call& c);
}  // namespace order_traces

}  // namespace skanu
