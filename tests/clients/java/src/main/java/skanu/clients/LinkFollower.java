package skanu.clients;

import java.net.URI;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.hateoas.CollectionModel;
import org.springframework.hateoas.EntityModel;
import org.springframework.hateoas.MediaTypes;
import org.springframework.hateoas.client.Hop;
import org.springframework.hateoas.client.Traverson;
import org.springframework.hateoas.client.Traverson.TraversalBuilder;

/**
 * Reaches everything of one order from the root alone, by the names of links, with Spring HATEOAS's
 * client. The shop's newest order must be paid, and its delivery be there.
 */
public final class LinkFollower {
  private static final String NEWEST = "$._embedded.orders[0]._links.self.href";

  private final Traverson root;

  private LinkFollower(URI base) {
    root = new Traverson(base, MediaTypes.HAL_JSON);
  }

  public static void main(String[] arguments) {
    new LinkFollower(URI.create(arguments[0])).run();
  }

  private void run() {
    int id = newest().toObject("$.id");
    check("the order from its payment", id, newest("payment", "order").toObject("$.id"));
    check("the order from its delivery", id, newest("delivery", "order").toObject("$.id"));
    check("the payment", "END", newest("payment").toObject("$.paymentStatus"));
    check("the payment's order", id, newest("payment").toObject("$.orderId"));
    check("the delivery", "Prepare Delivery...", newest("delivery").toObject("$.deliveryStatus"));
    check("the trace", id, newest("trace").toObject("$.orderId"));
    check("the trace's status", "PAY END", newest("trace").toObject("$.status"));
    readModels(id);
    readNextPages();
    System.out.println(id);
  }

  /** Spring's own models, with the links as objects. */
  private void readModels(int id) {
    EntityModel<Map<String, Object>> order =
        newest().toObject(new ParameterizedTypeReference<EntityModel<Map<String, Object>>>() {});
    check("the model's id", id, order.getContent().get("id"));
    for (String name : List.of("self", "payment", "delivery", "trace")) {
      URI link = order.getRequiredLink(name).toUri();
      check("a whole URL: " + link, true, link.isAbsolute());
    }
  }

  /** Orders by twos, page after page, each once. */
  private void readNextPages() {
    int total = orders(2).toObject("$.page.totalElements");
    int pages = (total + 1) / 2, seen = 0;
    for (int turned = 0; turned < pages; ++turned) {
      CollectionModel<EntityModel<Map<String, Object>>> page =
          orders(2)
              .follow(Collections.nCopies(turned, "next").toArray(String[]::new))
              .toObject(
                  new ParameterizedTypeReference<
                      CollectionModel<EntityModel<Map<String, Object>>>>() {});
      check("a next page", turned + 1 < pages, page.getLink("next").isPresent());
      seen += page.getContent().size();
    }
    check("orders on all pages", total, seen);
  }

  private TraversalBuilder orders(int size) {
    return root.follow(
        Hop.rel("orders").withParameter("size", size).withParameter("sort", "id,desc"));
  }

  private TraversalBuilder newest(String... links) {
    return orders(1).follow(NEWEST).follow(links);
  }

  private static void check(String what, Object wanted, Object seen) {
    if (!wanted.equals(seen)) throw new AssertionError(what + ": " + seen);
  }
}
