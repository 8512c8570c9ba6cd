"""gzip for clients that take it: files of the pages, and JSON of a kibibyte and more."""

import gzip
import json

import pytest
from rest import COFFEE, fresh_phone
from test_pages import BROWSER

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
LARGE = ["/assets/skanu.css", "/openapi.json", "/docs"]


def unpacked(answer):
    assert answer.header("Content-Encoding") == "gzip"
    return gzip.decompress(answer.body)


def raw_get(client, path, headers):
    """A client without the check against the document, which reads no gzip."""
    client.connection.request("GET", path, None, headers)
    answer = client.connection.getresponse()
    body = answer.read()
    return type("Answer", (), {"status": answer.status, "header": answer.getheader, "body": body})


@pytest.mark.parametrize("path", LARGE)
def test_a_file_of_the_pages_came_whole_to_a_client_that_takes_gzip(client, path):
    plain = client.get(path).expect(200)
    assert plain.header("Content-Encoding") is None
    packed = raw_get(client, path, GZIP)
    assert unpacked(packed) == plain.body
    assert len(packed.body) < len(plain.body) / 2
    assert packed.header("Vary") == "Accept-Encoding" == plain.header("Vary")
    tag = packed.header("ETag")
    assert tag != plain.header("ETag"), "other bytes have another tag"
    assert raw_get(client, path, {**GZIP, "If-None-Match": tag}).status == 304
    client.get(path, {"If-None-Match": tag}).expect(200)
    assert raw_get(client, path, {"Accept-Encoding": "gzip;q=0"}).body == plain.body


def test_a_list_is_compressed_and_an_item_never(client, shop):
    for _ in range(5):
        shop.paid_order(fresh_phone())
    listed = raw_get(client, "/orders?size=5", GZIP)
    assert json.loads(unpacked(listed))["page"]["size"] == 5
    assert "Accept-Encoding" in listed.header("Vary")
    order = client.post("/orders", {**COFFEE, "productName": "커" * 200}).expect(201)
    item = raw_get(client, order.header("Location"), GZIP)
    assert item.header("Content-Encoding") is None, "its ETag is sent back with changes"


def test_metrics_are_compressed_for_prometheus(client):
    text = unpacked(raw_get(client, "/actuator/prometheus", GZIP)).decode()
    assert "skanu_build_info" in text


def test_a_page_varies_by_both(client):
    answer = raw_get(client, "/", {**BROWSER, **GZIP})
    assert answer.status == 200 and "Accept" in answer.header("Vary").split(", ")
