"""The OpenAPI document as a judge of every exchange through rest.py: path and method, status,
headers and body must be documented, and accepted requests must match their schemas."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

from jsonschema import Draft202012Validator

DOCUMENT_PATH = Path(__file__).resolve().parents[2] / "http" / "api" / "openapi.json"
METHODS = ("get", "put", "post", "delete", "patch")
OF_EVERY_MESSAGE = {"content-type", "content-length", "connection"}
REMEMBERED_BODIES = 20_000


def dereferenced(node, root):
    """The node, with its references resolved; siblings of a reference win."""
    if isinstance(node, list):
        return [dereferenced(each, root) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {key: dereferenced(value, root) for key, value in node.items()}
    target = root
    for step in node["$ref"].removeprefix("#/").split("/"):
        target = target[step.replace("~1", "/").replace("~0", "~")]
    siblings = {key: value for key, value in node.items() if key != "$ref"}
    return {**dereferenced(target, root), **siblings}


def fits(template, path):
    """True where the path matches a template such as /orders/{id}."""
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        part == one or (part.startswith("{") and one) for part, one in zip(wanted, given)
    )


def close(schema):
    """Forbids fields that the schema does not name. The document leaves objects open, for clients
    made from it to outlive a new field; what is sent today is judged closed."""
    if isinstance(schema, list):
        for each in schema:
            close(each)
    elif isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for each in schema.values():
            close(each)


def sent_schemas(node):
    """The schema of every body that the program sends."""
    if isinstance(node, list):
        for each in node:
            yield from sent_schemas(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "responses":
                for response in value.values():
                    yield from (form["schema"] for form in response.get("content", {}).values())
            else:
                yield from sent_schemas(value)


def as_understood(schema, body):
    """The body as the program reads it: an integer may come as text, and null says no more than
    leaving an optional field out."""
    fields, required = schema["properties"], schema["required"]
    understood = {}
    for name, value in body.items():
        if value is None and name in fields and name not in required:
            continue
        is_number = fields.get(name, {}).get("type") == "integer" and isinstance(value, str)
        if is_number and re.fullmatch(r"[+-]?[0-9]+", value):
            value = int(value)
        understood[name] = value
    return understood


def path_of(target):
    """The path of a request target, which may be in absolute form."""
    path = target.partition("?")[0]
    if "://" not in path:
        return path
    _, slash, rest = path.partition("://")[2].partition("/")
    return slash + rest or "*"


class Judge:
    def __init__(self, text):
        raw = json.loads(text)
        self.document = dereferenced(raw, raw)
        for schema in sent_schemas(self.document):
            close(schema)
        self.everywhere = self.document["x-everywhere"]
        self.connection = self.document["components"]["responses"]["ConnectionProblem"]
        self.validators, self.known_bodies = {}, set()

    def path_item(self, path):
        """(template, item) of a path; the one with fewer variables where two fit."""
        fitting = [template for template in self.document["paths"] if fits(template, path)]
        template = min(fitting, key=lambda each: each.count("{"), default=None)
        return template, self.document["paths"].get(template)

    def check(self, method, target, request_body, response):
        """Fails where the exchange differs from the document. `method` None: the method was
        unreadable."""
        template, item, operation, candidates = None, None, None, []
        status = str(response.status)
        if method is not None:
            template, item = self.path_item(unquote(path_of(target)))
        if path_of(target or "") == "*" and method == "OPTIONS":
            candidates.append(self.everywhere["options"]["responses"].get(status))
        if item and method == "OPTIONS":
            candidates.append(self.everywhere["options"]["responses"].get(status))
        elif item and method in ("HEAD", *(each.upper() for each in METHODS if each in item)):
            operation = item["get" if method == "HEAD" else method.lower()]
            candidates.append(operation["responses"].get(status))
        elif item and status == "405":
            candidates.append(self.everywhere["responses"]["405"])
        if method is not None and status in ("404", "421"):
            candidates.append(self.everywhere["responses"][status])
        if method is not None and status == "401" and target.startswith("/admin"):
            candidates.append(self.everywhere["responses"]["401"])
        candidates.append(self.connection)
        faults = []
        for documented in filter(None, candidates):
            fault = self.fault(documented, method, response)
            if fault is None:
                break
            faults.append(fault)
        else:
            raise AssertionError(
                f"not as openapi.json says: {method} {template or target}: {faults[0]}: {response}"
            )
        if operation and response.status < 300 and request_body and "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            error = self.error(schema, as_understood(schema, json.loads(request_body)))
            assert not error, f"accepted what openapi.json forbids: {error}: {request_body!r}"

    def fault(self, documented, method, response):
        """The difference from a documented response, or None."""
        headers = {**self.everywhere["headers"], **documented.get("headers", {})}
        if method == "OPTIONS":  # a preflight of any path
            headers = {**self.everywhere["options"]["responses"]["204"]["headers"], **headers}
        headers = {name.lower(): header for name, header in headers.items()}
        for name, value in response.headers.items():
            if name.lower() in OF_EVERY_MESSAGE:
                continue
            if name.lower() not in headers:
                return f"header {name} is not documented"
            schema = headers[name.lower()]["schema"]
            is_number = schema.get("type") == "integer" and value.isdecimal()
            error = self.error(schema, int(value) if is_number else value)
            if error:
                return f"header {name}: {error}"
        required = {**self.everywhere["headers"], **documented.get("headers", {})}
        for name, header in required.items():
            if header.get("required") and name not in response.headers:
                return f"header {name} is missing"
        content = documented.get("content", {})
        if method == "HEAD":
            return None
        if not content:
            return "a body is not documented" if response.body else None
        media = response.header("Content-Type")
        form = content.get(media) or content.get("*/*")
        if form is None:
            return f"content type {media} is not documented"
        if "json" not in (media or ""):
            return None
        return self.problem_fault(documented, response) or self.body_fault(
            form["schema"], response.body
        )

    def problem_fault(self, documented, response):
        if response.header("Content-Type") != "application/problem+json":
            return None
        told = json.loads(response.body)
        if documented["x-problem-types"].get(told.get("type")) != response.status:
            return f"the type {told.get('type')} is not documented here"
        if told.get("status") != response.status:
            return f"its body tells another status, {told.get('status')}"
        return None

    def body_fault(self, schema, body):
        seen = (id(schema), body)
        if seen in self.known_bodies:
            return None
        error = self.error(schema, json.loads(body))
        if error is None:
            if len(self.known_bodies) >= REMEMBERED_BODIES:
                self.known_bodies.clear()
            self.known_bodies.add(seen)
        return error

    def error(self, schema, value):
        validator = self.validators.get(id(schema))
        if validator is None:
            validator = self.validators.setdefault(id(schema), Draft202012Validator(schema))
        found = next(validator.iter_errors(value), None)
        if found is None:
            return None
        return f"{found.message} at {'/'.join(map(str, found.absolute_path)) or 'the top'}"


judge = Judge(DOCUMENT_PATH.read_text())


def check_raw(data, response):
    """The same check for an exchange of raw bytes."""
    words = data.partition(b"\r\n")[0].decode("latin-1").split(" ")
    method, target = words[:2] if len(words) == 3 else (None, None)
    judge.check(method, target, None, response)
