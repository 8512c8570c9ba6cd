// The yardstick of `dev bench`: a stock cpp-httplib server with a fixed answer. Ratios to this
// server make SKANU's figures comparable between fast and slow machines.
#include <httplib.h>

#include <iostream>
#include <limits>
#include <string>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: echo_server PORT (0 takes a free one)\n";
    return 2;
  }
  // About as long as an order's JSON.
  const std::string order =
      R"({"id":1234567,"productId":1,"productName":"Coffee","qty":1,"cost":1000,)"
      R"("paymentType":"cash","orderStatus":"Order complete","delivered":false,)"
      R"("_links":{"self":{"href":"/orders/1234567"},"payment":{"href":"/payments/1234567"}}})";

  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(256); };
  server.set_keep_alive_max_count(std::numeric_limits<size_t>::max());
  server.set_keep_alive_timeout(60);
  server.set_tcp_nodelay(true);
  server.Post("/echo", [](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.body, "application/json");
  });
  server.Get("/echo", [&order](const httplib::Request&, httplib::Response& response) {
    response.set_content(order, "application/hal+json");
  });

  const std::string host = "127.0.0.1";
  int port = std::stoi(argv[1]);
  if (port == 0) {
    port = server.bind_to_any_port(host);
  } else if (!server.bind_to_port(host, port)) {
    port = -1;
  }
  if (port < 0) {
    std::cerr << "echo_server: cannot listen on " << host << ":" << argv[1] << '\n';
    return 2;
  }
  std::cout << "echo ready http=" << host << ':' << port << std::endl;
  return server.listen_after_bind() ? 0 : 1;
}
