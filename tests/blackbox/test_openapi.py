"""The OpenAPI document itself: its structure, its examples, and its description of problems.

api_document.py checks every answer of the suite against the document.
"""

import json
import re
from urllib.parse import urlencode

import pytest
from api_document import DOCUMENT_PATH, METHODS, Judge, as_understood, judge
from jsonschema import Draft202012Validator
from rest import COFFEE, PREPARE, Shop

RAW = json.loads(DOCUMENT_PATH.read_text())
OPERATION_MEMBERS = {
    "tags",
    "operationId",
    "summary",
    "security",
    "description",
    "parameters",
    "requestBody",
    "responses",
}


def operations(document=judge.document):
    return [
        (path, method, item, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def walk(node, where=""):
    """Every object and list of the document, with its JSON pointer."""
    yield where, node
    inner = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in inner:
        if isinstance(value, (dict, list)):
            yield from walk(value, f"{where}/{str(key).replace('~', '~0').replace('/', '~1')}")


SCHEMAS = [
    (where, node)
    for where, node in walk(RAW)
    if isinstance(node, dict) and not {"example", "mapping"} & set(where.split("/"))
]


# ------------------------------------------------------------------------------------- structure


def test_the_program_serves_this_document(client):
    answer = client.get("/openapi.json").expect(200)
    assert answer.body == DOCUMENT_PATH.read_bytes()


def test_its_members_are_those_of_openapi_3_1():
    assert RAW["openapi"].startswith("3.1.")
    assert set(RAW) == {
        "openapi",
        "info",
        "servers",
        "tags",
        "x-everywhere",
        "paths",
        "components",
    }
    assert {"title", "version"} <= set(RAW["info"])
    kinds = {"parameters", "headers", "responses", "schemas", "securitySchemes"}
    assert set(RAW["components"]) <= kinds
    for path, item in RAW["paths"].items():
        assert path.startswith("/") and set(item) <= {"parameters", *METHODS}, path
    for path, method, _, operation in operations(RAW):
        assert {"tags", "operationId", "summary", "responses"} <= set(operation), (path, method)
        assert set(operation) <= OPERATION_MEMBERS, (path, method)
        assert all(re.fullmatch(r"[1-5]\d\d|default", each) for each in operation["responses"])
        assert any(each.startswith("2") for each in operation["responses"]), (path, method)
        assert "default" in operation["responses"], (path, method)


def test_operations_are_named_once_and_tagged_with_a_known_tag():
    ids = [operation["operationId"] for _, _, _, operation in operations()]
    assert len(set(ids)) == len(ids)
    tags = {tag["name"] for tag in RAW["tags"]}
    assert {tag for _, _, _, operation in operations() for tag in operation["tags"]} == tags


def test_every_response_and_parameter_is_described():
    for path, method, item, operation in operations():
        for status, response in operation["responses"].items():
            assert response.get("description"), (path, method, status)
            members = {"description", "headers", "content", "x-problem-types"}
            assert set(response) <= members, (path, method, status)
        parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
        names = [(parameter["in"], parameter["name"]) for parameter in parameters]
        assert len(set(names)) == len(names), (path, method)
        assert all({"name", "in", "schema"} <= set(parameter) for parameter in parameters)


def test_every_reference_leads_somewhere_and_every_component_is_used():
    objects = [node for _, node in walk(RAW) if isinstance(node, dict)]
    used = {node["$ref"] for node in objects if "$ref" in node}
    schemes = [scheme for node in objects for scheme in node.get("security", [])]
    used |= {f"#/components/securitySchemes/{name}" for scheme in schemes for name in scheme}
    components = RAW["components"]
    existing = {f"#/components/{kind}/{name}" for kind in components for name in components[kind]}
    assert used == existing


def test_every_schema_is_a_json_schema():
    schemas = [*judge.document["components"]["schemas"].values()]
    for _, node in walk(judge.document):
        if isinstance(node, dict) and isinstance(node.get("schema"), dict):
            schemas.append(node["schema"])
    for schema in schemas:
        Draft202012Validator.check_schema(schema)


def test_objects_are_open_to_clients_and_every_one_that_is_sent_is_closed_to_the_judge(client):
    """A client made from the document must outlive a new field; here an undocumented one fails."""
    assert not [where for where, node in SCHEMAS if node.get("additionalProperties") is False]
    answer = client.get("/").expect(200)
    response = judge.document["paths"]["/"]["get"]["responses"]["200"]
    schema = response["content"]["application/hal+json"]["schema"]
    assert judge.error(schema, answer.json()) is None
    assert "unexpected" in judge.error(schema, {**answer.json(), "new": 1})


def test_every_example_is_as_its_schema_says():
    found = 0
    for where, node in walk(judge.document):
        if isinstance(node, dict) and "example" in node and "schema" in node:
            error = judge.error(node["schema"], node["example"])
            assert error is None, f"{where}: {error}"
            found += 1
    assert found > 40


def test_the_judge_sees_an_undocumented_field_status_and_header(client):
    answer = client.post("/orders", COFFEE).expect(201)

    def verdict(edit):
        document = json.loads(DOCUMENT_PATH.read_text())
        edit(document["paths"]["/orders"]["post"]["responses"], document["components"])
        with pytest.raises(AssertionError) as caught:
            Judge(json.dumps(document)).check("POST", "/orders", None, answer)
        return str(caught.value)

    def without(member):
        return lambda _, components: components["schemas"]["Order"]["properties"].pop(member)

    assert "'delivered' was unexpected" in verdict(without("delivered"))
    assert "/orders" in verdict(lambda responses, _: responses.pop("201"))
    assert "ETag is not documented" in verdict(
        lambda responses, _: responses["201"]["headers"].pop("ETag")
    )


# ------------------------------------------------------------------------------------ generators
# tests/clients makes clients of the document; these say which of its words would break them.


def test_every_integer_names_its_width():
    """An id without `int64` becomes an int of 32 bits."""
    found = 0
    for where, node in SCHEMAS:
        if node.get("type") == "integer":
            is_small = node.get("maximum", 2**31) < 2**31 and node.get("minimum", 0) > -(2**31)
            is_small = is_small or where.endswith("/retry")
            assert node["format"] == ("int32" if is_small else "int64"), where
            found += 1
    assert found > 40


def test_every_schema_has_one_type_and_constants_are_words():
    for where, node in SCHEMAS:
        assert not isinstance(node.get("type"), list), where
        assert isinstance(node.get("const", ""), (str, dict)), where
        if isinstance(node.get("enum"), list):
            assert node["type"] == "string", where
            assert all(isinstance(each, str) for each in node["enum"]), where


def test_enums_have_names_that_do_not_collide():
    """Go's constants share one namespace, where CANCEL of payment and of delivery would collide."""
    names = [
        name
        for schema in RAW["components"]["schemas"].values()
        for name in schema.get("x-enum-varnames") or schema.get("enum", [])
    ]
    assert len(set(names)) == len(names)
    for schema in RAW["components"]["schemas"].values():
        varnames = schema.get("x-enum-varnames", schema.get("enum", []))
        assert len(varnames) == len(schema.get("enum", []))


def test_every_problem_is_the_one_named_schema():
    for where, node in SCHEMAS:
        if "application/problem+json" in node:
            form = node["application/problem+json"]["schema"]
            assert form == {"$ref": "#/components/schemas/Problem"}, where


def test_every_request_has_a_name_of_its_own():
    names = set()
    for path, method, _, operation in operations(RAW):
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            names.add(schema["$ref"].rpartition("/")[2])
    assert names and all(name.endswith("Request") for name in names)
    answers = [node["$ref"] for where, node in SCHEMAS if "/responses/" in where and "$ref" in node]
    assert not {f"#/components/schemas/{name}" for name in names} & set(answers)


def test_no_header_is_a_parameter_that_openapi_ignores():
    for where, node in SCHEMAS:
        if node.get("in") == "header":
            assert node["name"] not in ("Accept", "Content-Type", "Authorization"), where


def test_the_judge_reads_numbers_in_text_and_null_as_the_program_does():
    order = judge.document["paths"]["/orders"]["post"]["requestBody"]
    schema = order["content"]["application/json"]["schema"]

    def error(**fields):
        return judge.error(schema, as_understood(schema, {**COFFEE, **fields}))

    assert error(qty="+2", productId="7", phoneNumber=None) is None
    assert "1001" in error(qty="1001")
    assert "1.0" in error(qty="1.0")
    assert "None" in error(qty=None)


# -------------------------------------------------------------------------------------- examples


def without_times(value):
    text = json.dumps(value)
    return json.loads(re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", text))


def example(path, method, status):
    response = judge.document["paths"][path][method]["responses"][str(status)]
    (content,) = response["content"].values()
    return content["example"]


def request_example(path, method):
    body = judge.document["paths"][path][method]["requestBody"]
    return body["content"]["application/json"]["example"]


def test_the_examples_are_real(serve):
    """On an empty data directory, the requests in sequence give the documented answers."""
    client = serve().client()
    shop = Shop(client)

    def asks(method, path, template, status):
        body = request_example(template, method) if method in ("post", "patch", "put") else None
        answer = client.request(method.upper(), path, body).expect(status)
        assert without_times(answer.json()) == without_times(example(template, method, status))

    asks("post", "/orders", "/orders", 201)
    asks("get", "/orders/1", "/orders/{id}", 200)
    asks("get", "/orders?page=0&size=20&sort=id,asc", "/orders", 200)
    asks("post", "/payments", "/payments", 201)
    asks("put", "/payments/1", "/payments/{id}", 200)
    asks("patch", "/payments/1", "/payments/{id}", 200)
    asks("get", "/payments/1", "/payments/{id}", 200)
    asks("get", "/payments", "/payments", 200)
    shop.wait_delivery(1, PREPARE)
    shop.wait_trace(1, "PAY END")
    shop.wait_stamps("01012341234", 2)
    asks("get", "/deliveries", "/deliveries", 200)
    asks("get", "/orderTraces", "/orderTraces", 200)
    asks("get", "/orderTraces/1", "/orderTraces/{id}", 200)
    asks(
        "get",
        "/orderTraces/search/findByOrderId?orderId=1",
        "/orderTraces/search/findByOrderId",
        200,
    )
    asks("get", "/stamps", "/stamps", 200)
    asks("get", "/stamps/010-1234-1234", "/stamps/{phoneNumber}", 200)
    asks("get", "/stamps/010-1234-1234/entries", "/stamps/{phoneNumber}/entries", 200)
    asks("patch", "/deliveries/1", "/deliveries/{id}", 200)
    asks("get", "/deliveries/1", "/deliveries/{id}", 200)
    client.request("POST", "/stamps", request_example("/stamps", "post")).expect(200)
    shop.wait_trace(1, "DELIVERY READY")
    history = client.get("/orderTraces/1/events").expect(200).json()["_embedded"]["events"]
    shown = example("/orderTraces/{id}/events", "get", 200)["_embedded"]["events"]
    key = lambda event: (event["service"], event["offset"])  # noqa: E731
    have = {key(event): without_times(event) for event in history}
    assert {key(event): without_times(event) for event in shown}.items() <= have.items()


def test_the_examples_of_problems_are_real(client, shop):
    delivered = shop.delivered_order()
    given = {
        "MalformedBody": client.post("/orders", b"{"),
        "NotFound": client.get(f"/orders/{2**53 - 1}"),
        "MethodNotAllowed": client.put("/orders", {}),
        "Conflict": client.delete(f"/orders/{delivered}"),
        "VersionMismatch": client.delete(f"/orders/{shop.place()}", {"If-Match": '"7"'}),
        "NotJson": client.post("/orders", b"{}", {"Content-Type": "text/plain"}),
        "Invalid": client.post("/orders", {**COFFEE, "qty": 0}),
        "ConnectionProblem": client.post("/orders", b" " * 70_000),
    }
    for name, answer in given.items():
        content = judge.document["components"]["responses"][name]["content"]
        assert answer.json() == content["application/problem+json"]["example"], name


# The only parameters whose example needs what a fresh shop has not.
NEEDS_DAMAGE = {"letter"}


def test_the_examples_of_parameters_can_be_sent(serve):
    """Tools fill them in, the optional ones too; each is accepted on a shop with one order."""
    client = serve().client()
    shop = Shop(client)
    client.post("/orders", request_example("/orders", "post")).expect(201)
    client.post("/payments", request_example("/payments", "post")).expect(201)
    shop.wait_delivery(1, PREPARE)
    shop.wait_stamps("01012341234", 2)
    sent = 0
    for path, method, item, operation in operations():
        parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
        names = {parameter["name"] for parameter in parameters}
        is_stream = path.endswith("/stream")
        if names & NEEDS_DAMAGE or method == "delete" or is_stream or path.startswith("/admin"):
            continue
        headers, target, query = {}, path, {}
        for parameter in parameters:
            if "example" not in parameter:
                continue
            name, value = parameter["name"], str(parameter["example"])
            if parameter["in"] == "path":
                target = target.replace("{" + name + "}", value)
            elif parameter["in"] == "query":
                query[name] = value
            else:
                headers[name] = value
        assert "{" not in target, f"{path} has no example of its variable"
        target += f"?{urlencode(query)}" if query else ""
        body = request_example(path, method) if "requestBody" in operation else None
        answer = client.request(method.upper(), target, body, headers)
        assert 200 <= answer.status < 300, (method, target, headers, answer)
        sent += 1
    assert sent > 25
