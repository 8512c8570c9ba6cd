#include "http/format/problem_types.hpp"

#include <algorithm>
#include <array>

namespace skanu {

namespace {

constexpr std::string_view no = "No.";

constexpr std::array table = {
    problem_type{
        "malformed", 400, "Malformed request",
        "The request cannot be read: it is not well-formed HTTP, or its body is not one JSON "
        "object.",
        no, "Correct the request. The detail says what was found."},
    problem_type{
        "invalid-field", 422, "Invalid field",
        "A field of the body, a query parameter or a header is missing, of the wrong type, out "
        "of range, or a word that is not known. The member errors names each of them.",
        no, "Correct the fields that errors names, and send it again."},
    problem_type{
        "immutable-field", 422, "Field cannot change",
        "The request gives another value to a field that was fixed when the order was placed.", no,
        "Leave the field out, or send the value that the resource has."},
    problem_type{"negative-balance", 422, "Balance would be negative",
                 "More stamps would be taken by hand than the account has.", no,
                 "Read the account, and take at most its balance."},
    problem_type{
        "not-found", 404, "Not found",
        "There is no such path, or nothing of that id or phone number. A delivery or a stamp "
        "account may be there a moment later, when the payment has been noticed.",
        no, "Check the path and the id. On a node of one service, ask the gateway."},
    problem_type{
        "already-delivered", 409, "Already delivered",
        "The order has been delivered, and so neither it nor its payment can be cancelled.", no,
        "Nothing: the order is closed."},
    problem_type{
        "already-cancelled", 409, "Already cancelled",
        "The order, payment or delivery was cancelled: it cannot be paid or moved on any more.", no,
        "Place a new order."},
    problem_type{"already-paid", 409, "Already paid",
                 "The payment was made already, with other fields or against the wish to unpay it.",
                 no, "Read the payment. To give the money back, cancel it."},
    problem_type{
        "not-allowed", 409, "Not allowed now",
        "The state of the order, payment or delivery does not allow this step. A delivery goes "
        "one step at a time: READY, START, END.",
        no, "Read the resource, and take the step that comes next."},
    problem_type{
        "version-mismatch", 412, "Version does not match",
        "If-Match named another version than the present one: somebody changed it in between.", no,
        "Read the resource again, decide again, and send the change with its new ETag."},
    problem_type{"operation-reused", 422, "Idempotency key used for another request",
                 "The same Idempotency-Key came before on this method and path, with another body.",
                 "Not by this request. What the earlier one did stands.",
                 "Use a new key for a new request, and the same key and body to repeat one."},
    problem_type{
        "operation-running", 409, "Operation still running",
        "A request with the same Idempotency-Key is still being carried out.",
        "Not by this request. The one that runs may change something.",
        "Wait a moment, then repeat it with the same key: the answer will be the first one's."},
    problem_type{
        "payment-unavailable", 503, "Payment unavailable",
        "The payment of a new order could not be opened: payment refused, was too slow, or the "
        "circuit breaker keeps calls from it.",
        "No. The order is not registered, and nothing is to be paid.",
        "Order again after the seconds that Retry-After says."},
    problem_type{"overloaded", 503, "Overloaded",
                 "Too many requests wait for the same thing, or too many connections are open.", no,
                 "Come back after the seconds that Retry-After says."},
    problem_type{"entity-failed", 503, "Not carried out",
                 "The order, payment, delivery or account failed before it decided.", no,
                 "Send it again. If it goes on, its log lines say why."},
    problem_type{"conflicting-commit", 503, "Not carried out",
                 "Another change of the same thing came first, again and again.", no,
                 "Read the resource, and send the change again."},
    problem_type{"store-full", 507, "No room left",
                 "The disk or the database is full. Reads go on.", no,
                 "Make room, then send it again: it goes on by itself."},
    problem_type{
        "store-failed", 503, "Store unavailable",
        "The database of this service cannot be read or written at present.", no,
        "Come back after the seconds that Retry-After says. /actuator/health shows the database."},
    problem_type{"shutting-down", 503, "Shutting down", "This node is leaving.", no,
                 "Send it again: another node, or this one when it is back, will answer."},
    problem_type{"outcome-unknown", 504, "Outcome unknown",
                 "No answer came in time. The change may or may not have happened.",
                 "Perhaps. Nobody can say yet.",
                 "Repeat the request with the same Idempotency-Key, or read the resource."},
    problem_type{
        "service-away", 503, "Service away",
        "The node of the service that this needs cannot be reached. The detail names it. "
        "The other services go on.",
        no, "Come back after the seconds that Retry-After says: it is looked for all the time."},
    problem_type{
        "undecodable", 503, "Stored data cannot be read",
        "What is stored or was received is not what it should be.", no,
        "Tell the operator: the log says which record it is, and skanu audit looks at all."},
    problem_type{
        "damaged", 503, "Stored data is damaged",
        "What is stored of it does not match its checksum: the disk gave back something else than "
        "what was written. Everything else goes on.",
        no,
        "Tell the operator: the log says which record it is, skanu audit names all of them, and a "
        "backup brings it back."},
    problem_type{
        "data-too-old", 503, "Data too old",
        "The data of the order service is older than what other services have seen: an order would "
        "get an id that was given before.",
        no, "Tell the operator: the log says what to do, and the README's chapter Restore."},
    problem_type{"unauthorized", 401, "Token needed",
                 "The path is for operators, and the request does not bring their token.", no,
                 "On the node's machine, use skanu admin, or send the first line of the file "
                 "admin.token in the data directory as Authorization: Bearer TOKEN."},
    problem_type{"method-not-allowed", 405, "Method not allowed",
                 "The path is known, but not with this method.", no,
                 "Use one of the methods that the header Allow names."},
    problem_type{"timeout", 408, "Request took too long",
                 "The request did not arrive whole in 10 seconds.", no,
                 "Send it again, over a better connection."},
    problem_type{"too-large", 413, "Body too large", "The body is longer than 64 KiB.", no,
                 "Send less."},
    problem_type{"uri-too-long", 414, "URI too long", "The request line is longer than 8 KiB.", no,
                 "Send a shorter path or query."},
    problem_type{"unsupported-media-type", 415, "Unsupported media type",
                 "The body is not application/json, or it is compressed.", no,
                 "Send plain JSON in UTF-8 with the header Content-Type: application/json."},
    problem_type{"expectation-failed", 417, "Expectation failed",
                 "The header Expect asks for something else than 100-continue.", no,
                 "Leave the header out."},
    problem_type{"misdirected", 421, "Misdirected request",
                 "The request is not for this node: its Host is not one that a server on loopback "
                 "answers to, or the consumer whose dead letter it is runs on another node.",
                 no,
                 "Do what the detail says: use a Host that is allowed, or ask the node that is "
                 "named."},
    problem_type{
        "header-too-large", 431, "Header too large",
        "The header block is longer than 16 KiB, a line of it than 8 KiB, or it has more than "
        "100 fields.",
        no, "Send fewer or shorter header fields."},
    problem_type{"internal", 500, "Internal error",
                 "The program failed while it answered. That is a defect of the program.",
                 "Perhaps. Read the resource to see.",
                 "Tell whoever runs it: the log has a line of that moment."},
    problem_type{"not-implemented", 501, "Not implemented",
                 "The request needs a transfer encoding that is not known here. Only chunked is.",
                 no, "Send the body with a Content-Length, or chunked."},
    problem_type{"version-not-supported", 505, "HTTP version not supported",
                 "Only HTTP/1.1 and HTTP/1.0 are spoken here.", no, "Use HTTP/1.1."},
};

static_assert(table[static_cast<std::size_t>(last_of(errc{}))].name == "data-too-old");

}  // namespace

std::span<const problem_type> problem_types() { return table; }

const problem_type& problem_type_of(errc code) { return table.at(static_cast<std::size_t>(code)); }

const problem_type& problem_type_of(int status) {
  switch (status) {
    case 400: return problem_type_of(errc::malformed);
    case 404: return problem_type_of(errc::not_found);
    case 503: return problem_type_of(errc::overloaded);
    default: break;
  }
  constexpr auto first = static_cast<std::size_t>(last_of(errc{})) + 1;
  for (const auto& t : problem_types().subspan(first))
    if (t.status == status) return t;
  return *problem_type_named("internal");
}

const problem_type* problem_type_named(std::string_view name) {
  const auto found = std::ranges::find(table, name, &problem_type::name);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace skanu
