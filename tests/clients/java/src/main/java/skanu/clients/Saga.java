package skanu.clients;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import skanu.generated.ApiClient;
import skanu.generated.ApiException;
import skanu.generated.api.DeliveriesApi;
import skanu.generated.api.OperationsApi;
import skanu.generated.api.DeliveriesApi.APIMoveDeliveryRequest;
import skanu.generated.api.OrderTracesApi;
import skanu.generated.api.OrderTracesApi.APIListOrderEventsRequest;
import skanu.generated.api.OrdersApi;
import skanu.generated.api.OrdersApi.APIListOrdersRequest;
import skanu.generated.api.OrdersApi.APIPlaceOrderRequest;
import skanu.generated.api.PagesApi;
import skanu.generated.api.PagesApi.APIGetRootRequest;
import skanu.generated.api.PaymentsApi;
import skanu.generated.api.PaymentsApi.APIPayOrderRequest;
import skanu.generated.api.StampsApi;
import skanu.generated.api.StampsApi.APIListStampEntriesRequest;
import skanu.generated.model.DeliveryChangeRequest;
import skanu.generated.model.DeliveryEvent;
import skanu.generated.model.DeliveryStatus;
import skanu.generated.model.Health;
import skanu.generated.model.ListSort;
import skanu.generated.model.Order;
import skanu.generated.model.OrderEvent;
import skanu.generated.model.OrderList;
import skanu.generated.model.OrderRequest;
import skanu.generated.model.Payment;
import skanu.generated.model.PaymentRequest;
import skanu.generated.model.PaymentStatus;
import skanu.generated.model.Problem;
import skanu.generated.model.TraceStatus;

/** The saga through the client that openapi-generator made; an error ends the program. */
public final class Saga {
  private static final long LARGEST_ID = (1L << 53) - 1;
  private static final String PHONE = "010-7000-0003";

  /** A call of a generated client, which may fail with a checked exception. */
  private interface Call<T> {
    T make() throws ApiException;
  }

  private final ApiClient client = new ApiClient();

  private Saga(String base) {
    client.updateBaseUri(base);
  }

  public static void main(String[] arguments) throws Exception {
    new Saga(arguments[0]).run();
  }

  private void run() throws Exception {
    Order order = place();
    pay(order.getId());
    deliver(order.getId());
    readStamps();
    readTrace(order.getId());
    meetProblems();
    readPages(order.getId());
    readOperations();
    System.out.println(order.getId());
  }

  private Order place() throws ApiException {
    OrderRequest wanted =
        new OrderRequest()
            .productId(LARGEST_ID)
            .productName("라떼")
            .qty(2)
            .cost(1_000_000_000_000L)
            .paymentType("card");
    OrdersApi orders = new OrdersApi(client);
    Order order = orders.placeOrder(placing(wanted));
    check(order.getProductId() == LARGEST_ID && order.getCost() == 1_000_000_000_000L, order);
    check(order.getProductName().equals("라떼") && !order.getDelivered(), order);
    Order again = orders.placeOrder(placing(wanted));
    check(again.equals(order), again);
    return order;
  }

  /** The request under a key of its own words, so that the same words are one attempt. */
  private static APIPlaceOrderRequest placing(OrderRequest wanted) {
    String key = "of-java-" + wanted.getProductName().hashCode();
    return APIPlaceOrderRequest.newBuilder().orderRequest(wanted).idempotencyKey(key).build();
  }

  private void pay(long id) throws ApiException {
    PaymentRequest wanted =
        new PaymentRequest()
            .orderId(id)
            .paymentStatus(PaymentRequest.PaymentStatusEnum.END)
            .phoneNumber(PHONE);
    Payment payment =
        new PaymentsApi(client)
            .payOrder(APIPayOrderRequest.newBuilder().paymentRequest(wanted).build());
    check(payment.getPaymentStatus() == PaymentStatus.PAID && payment.getOrderId() == id, payment);
  }

  private void deliver(long id) throws Exception {
    DeliveriesApi deliveries = new DeliveriesApi(client);
    sooner(() -> deliveries.getDelivery(id, null));
    for (DeliveryStatus step :
        List.of(DeliveryStatus.READY, DeliveryStatus.STARTED, DeliveryStatus.DELIVERED)) {
      DeliveryChangeRequest wanted = new DeliveryChangeRequest().deliveryStatus(step);
      var request =
          APIMoveDeliveryRequest.newBuilder().id(id).deliveryChangeRequest(wanted).build();
      check(deliveries.moveDelivery(request).getDeliveryStatus() == step, step);
    }
  }

  private void readStamps() throws Exception {
    StampsApi stamps = new StampsApi(client);
    check(sooner(() -> stamps.getStampAccount(PHONE, null)).getStampQty() == 2, PHONE);
    var entries =
        stamps.listStampEntries(
            APIListStampEntriesRequest.newBuilder().phoneNumber(PHONE).build());
    check(entries.getEmbedded().getEntries().size() == 1, entries);
  }

  private void readTrace(long id) throws Exception {
    OrderTracesApi traces = new OrderTracesApi(client);
    sooner(
        () -> {
          var trace = traces.getOrderTrace(id, null);
          if (trace.getStatus() != TraceStatus.DELIVERY_END) throw new ApiException(404, "not yet");
          return trace;
        });
    var found = traces.findOrderTrace(id).getEmbedded().getOrderTraces();
    check(found.size() == 1 && found.get(0).getOrderId() == id, found);
    var events =
        traces
            .listOrderEvents(APIListOrderEventsRequest.newBuilder().id(id).build())
            .getEmbedded()
            .getEvents();
    check(events.get(0).getActualInstance() instanceof OrderEvent, events);
    check(
        events.stream().filter(e -> e.getActualInstance() instanceof DeliveryEvent).count() == 4,
        events);
  }

  private void meetProblems() throws Exception {
    Problem missing = problemOf(404, () -> new OrdersApi(client).getOrder(LARGEST_ID, null));
    check(missing.getType().equals("/problems/not-found") && missing.getStatus() == 404, missing);
    OrderRequest wrong =
        new OrderRequest().productId(1L).productName("x").qty(0).cost(1L).paymentType("card");
    Problem invalid = problemOf(422, () -> new OrdersApi(client).placeOrder(placing(wrong)));
    check(invalid.getErrors().get(0).getField().equals("qty"), invalid);
  }

  private void readPages(long id) throws ApiException {
    OrderList page =
        new OrdersApi(client)
            .listOrders(APIListOrdersRequest.newBuilder().size(1).sort(ListSort.ID_DESC).build());
    check(page.getPage().getSize() == 1 && page.getPage().getTotalElements() >= 1, page);
    check(page.getEmbedded().getOrders().get(0).getId() >= id, page);
    PagesApi pages = new PagesApi(client);
    check(pages.getRoot(APIGetRootRequest.newBuilder().build()).getLinks().get("orders").getTemplated(), "root");
    check(pages.getProblem("not-found", null).getStatus() == 404, "problem");
  }

  private void readOperations() throws ApiException {
    OperationsApi operations = new OperationsApi(client);
    check(operations.getHealth().getStatus() == Health.StatusEnum.UP, "health");
    check(operations.getCircuitBreakers().getCircuitBreakers().getPayment() != null, "breaker");
    check(operations.getMetrics().contains("skanu_http_requests_total"), "metrics");
  }

  private Problem problemOf(int status, Call<?> call) throws Exception {
    try {
      call.make();
    } catch (ApiException refused) {
      check(refused.getCode() == status, refused);
      return ApiClient.createDefaultObjectMapper().readValue(refused.getResponseBody(), Problem.class);
    }
    throw new AssertionError("no problem " + status);
  }

  /** Calls until the answer is no 404 any more, for 5 seconds at most. */
  private static <T> T sooner(Call<T> call) throws Exception {
    Instant end = Instant.now().plus(Duration.ofSeconds(5));
    while (true) {
      try {
        return call.make();
      } catch (ApiException refused) {
        if (refused.getCode() != 404 || Instant.now().isAfter(end)) throw refused;
        Thread.sleep(10);
      }
    }
  }

  private static void check(boolean holds, Object seen) {
    if (!holds) throw new AssertionError(String.valueOf(seen));
  }
}
