// A request on its way through a handler: the question, and the ways to answer.
#pragma once

#include <string>
#include <string_view>

#include <httplib.h>

#include "http/api/gateway.hpp"
#include "http/format/body_fields.hpp"
#include "http/format/hal.hpp"
#include "http/format/problem.hpp"
#include "http/format/request_fields.hpp"
#include "http/server/exchange.hpp"

namespace skanu {

class call {
 public:
  /// `parameter` is the {…} of the route, percent-decoded; `base` the front of links
  /// (link_base.hpp). Both outlive the call.
  call(exchange& x, gateway& to, std::string_view parameter, std::string_view base)
      : exchange_(x), to_(to), parameter_(parameter), base_(base) {}

  gateway& to() const { return to_; }
  httplib::Response& out() const { return exchange_.out; }
  const httplib::Request& in() const { return exchange_.in; }

  std::string_view parameter() const { return parameter_; }
  std::string_view base() const { return base_; }
  /// The id in the path. Throws not_found where the path has no valid id.
  entity_id id() const;
  /// The account of the phone number in the path. Throws not_found where the path has no phone
  /// number.
  entity_id account() const;

  /// The JSON object of the body; routes.cpp has checked the media type. Throws refused.
  body_fields body() const;
  /// Throws refused where a field is wrong.
  static void require(const body_fields& fields);

  /// Reads Idempotency-Key, If-Match and traceparent.
  change_conditions conditions() const;

  /// Reads page, size, sort, after and status.
  page_request page_wanted() const;
  /// A query parameter, nullopt where absent.
  std::optional<std::string> query(const char* name) const;

  /// Answers 204, or with the refusal.
  void answer_empty(const outcome& result) const;
  /// Answers with a problem.
  void refuse(const error& why) const;
  void send(const std::string& body, std::string_view type) const;
  /// Hands the connection over after the response head.
  void hand_over(socket_taker taker) const { exchange_.taker = std::move(taker); }

 private:
  exchange& exchange_;
  gateway& to_;
  std::string_view parameter_;
  std::string_view base_;
};

}  // namespace skanu
