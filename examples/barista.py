#!/usr/bin/env python3
"""A barista: moves every delivery along, Prepare Delivery... -> READY -> START -> END,
until Ctrl-C.

  examples/barista.py [--base http://127.0.0.1:8088] [--pause 1.0] [--once]

--once works off what there is, waiting for nothing, and ends. An order that is cancelled meanwhile
is put aside: the delivery answers 409. Standard library only.
"""

import argparse
import json
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_S = 5
STEPS = [("START", "END"), ("READY", "START"), ("Prepare Delivery...", "READY")]
"""From which status to which. The last step comes first: each delivery moves one step a round."""


class Shop:
    def __init__(self, base):
        self.base = base.rstrip("/")

    def request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        url = urllib.parse.urljoin(self.base + "/", path)  # a link may be a whole URL
        request = urllib.request.Request(url, data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)

    def deliveries(self, status):
        """All deliveries in a status. Following `next` costs the same at any depth."""
        path = "/deliveries?" + urllib.parse.urlencode({"status": status, "size": 100})
        while path:
            page = self.request("GET", path)
            yield from page["_embedded"]["deliveries"]
            path = page["_links"].get("next", {}).get("href")

    def move(self, delivery, status):
        """False where the delivery may not make this move any more: it was cancelled."""
        try:
            self.request("PATCH", f"/deliveries/{delivery['id']}", {"deliveryStatus": status})
        except urllib.error.HTTPError as refusal:
            if refusal.code != 409:
                raise
            return False
        return True


def work_a_round(shop):
    """Moves each delivery one step. Returns how many there were to move."""
    found = 0
    for present, following in STEPS:
        for delivery in list(shop.deliveries(present)):
            found += 1
            drink = f"{delivery['qty']} x {delivery['productName']}"
            done = following if shop.move(delivery, following) else "put aside (409: cancelled)"
            print(f"order {delivery['orderId']}: {drink} {done}", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--base", default="http://127.0.0.1:8088", help="default: %(default)s")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two rounds")
    parser.add_argument("--once", action="store_true", help="until nothing is left to move")
    options = parser.parse_args()
    shop = Shop(options.base)
    pause = threading.Event()
    try:
        while True:
            found = work_a_round(shop)
            if options.once and not found:
                return 0
            if not options.once:
                pause.wait(options.pause)
    except KeyboardInterrupt:
        return 0
    except urllib.error.HTTPError as refusal:
        print(f"barista: {refusal.url}: {refusal.code} {refusal.read().decode()}", file=sys.stderr)
    except OSError as problem:
        print(f"barista: {shop.base}: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
