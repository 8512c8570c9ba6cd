#include "cluster/node/node_front.hpp"

#include <spdlog/spdlog.h>
#include <boost/core/demangle.hpp>

#include "http/access/admin_access.hpp"
#include "http/page/pages.hpp"

namespace skanu {

namespace {

/// Limits the streams of an address to the connections of an address.
stream_options streams_of(const node_options& options) {
  auto o = options.streams;
  o.max_streams_per_address = options.max_connections_per_address;
  return o;
}

server_options clients_listener(const node_options& options) {
  server_options o;
  o.address = options.address;
  o.port = options.port;
  o.max_connections = options.max_connections;
  o.max_connections_per_address = options.max_connections_per_address;
  o.max_handed_over = options.streams.max_streams;
  return o;
}

/// A few connections are enough for operators.
server_options operators_listener(const node_options& options) {
  server_options o;
  o.address = options.admin_address;
  o.port = options.admin_port;
  o.workers = 4;
  o.max_queued_requests = 64;
  o.max_connections = 64;
  return o;
}

/// Logs only the exception's type, because the message may contain a customer's data.
void handler_failed(const httplib::Request&, const std::exception_ptr& failure) {
  std::string kind = "unknown";
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& problem) {
    kind = boost::core::demangle(typeid(problem).name());
  } catch (...) {
  }
  spdlog::error("event=handler_failed exception={}", kind);
}

front_options front_of(const node_options& options, std::optional<std::string> admin_token) {
  front_options o;
  o.cors = options.cors;
  if (is_loopback(options.address)) o.allowed_hosts = options.allowed_hosts;
  o.admin_token = std::move(admin_token);
  o.links = options.links;
  if (!options.gateway) o.shown = options.services;
  o.pages = options.gateway;
  return o;
}

}  // namespace

node_front::node_front(const node_options& options, seed_source& seeds)
    : options_(options),
      seeds_(seeds),
      streams_(streams_of(options)),
      server_(
          clients_listener(options), [this](exchange& x) { front_->answer(x); },
          [this](int status, std::string_view reason, httplib::Response& out) {
            front_->answer_error(status, reason, out);
          },
          handler_failed) {
  port_ = server_.bind();
  streams_.limit(server_.max_handed_over());
  if (!options.admin_address.empty()) open_admin();
}

void node_front::open_admin() {
  admin_.emplace(
      operators_listener(options_), [this](exchange& x) { front_->answer(x, listener::operators); },
      [](int status, std::string_view reason, httplib::Response& out) {
        render_problem(status, reason, out);
      },
      handler_failed);
  const auto port = admin_->bind();
  spdlog::info("event=admin_listens address={}:{}", options_.admin_address, port);
}

void node_front::serve(service_directory services, actuator_view view, admin_view admin,
                       std::optional<std::string> admin_token) {
  services.trace_stream = &streams_;
  services.country = options_.country;
  pages::set_country(options_.country);
  gateway_ = std::make_unique<gateway>(std::move(services), seeds_);
  if (view.breaker_elsewhere)
    view.breaker_elsewhere = [this, ask = std::move(view.breaker_elsewhere)] {
      return gateway_->ask(service::order, ask);
    };
  add_gauges(view);
  view.is_leaving = [this] { return leaving_.load(); };
  admin.breakers = [figures = view] { return render_circuit_breakers(figures); };
  front_ = std::make_unique<front>(*gateway_, std::move(view), std::move(admin),
                                   front_of(options_, std::move(admin_token)));
  streams_.start();
  server_.start();
  if (admin_) admin_->start();
  if (server_.max_connections() < options_.max_connections)
    spdlog::warn(
        "event=too_few_open_files max_connections={} max_streams={} limit={} wanted={} "
        "remedy=\"raise the hard limit of open files to {} (ulimit -Hn; systemd: LimitNOFILE=), or "
        "lower --max-connections and --max-streams\"",
        server_.max_connections(), server_.max_handed_over(), server_.open_files().limit,
        server_.open_files().wanted, server_.open_files().wanted);
}

void node_front::add_gauges(actuator_view& view) {
  const auto gauge = [&](std::string_view name, std::string_view help, auto count) {
    view.gauges.push_back(
        {name, help, [this, count] { return static_cast<std::int64_t>((server_.*count)()); }});
  };
  gauge("skanu_http_connections", "Open connections.", &server::open_connections);
  gauge("skanu_http_requests_in_progress", "Requests whose handler is running.",
        &server::requests_in_progress);
  gauge("skanu_http_requests_queued", "Requests that wait for a worker.", &server::queued_requests);
  view.gauges.push_back({"skanu_http_streams", "Subscribers of event streams.",
                         [this] { return static_cast<std::int64_t>(streams_.subscribers()); }});
}

void node_front::begin_to_leave() {
  leaving_ = true;
  server_.call_last_requests();
}

void node_front::stop() {
  streams_.stop();
  server_.stop();
  if (admin_) admin_->stop();
}

void node_front::forget_services() {
  front_.reset();
  gateway_.reset();
}

}  // namespace skanu
