"""Answers besides resources: pages, their files, the root, the reference, problem types."""

from html.parser import HTMLParser

import pytest
from api_document import METHODS, judge
from rest import PREPARE

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGES = ["/", "/board", "/display", "/manager", "/operations", "/docs", "/problems/not-found"]
UNCHANGING = [*PAGES, "/openapi.json", "/assets/docs.css"]
PROBLEMS = judge.document["components"]["schemas"]["ProblemUri"]["x-extensible-enum"]
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(HTMLParser):
    """The elements in order, each with its closing."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.unbalanced = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]

    def values(self, attribute):
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_comes_with_headers_that_keep_others_out(client, path):
    answer = client.get(path, BROWSER).expect(200)
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    policy = answer.header("Content-Security-Policy")
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Referrer-Policy") == "no-referrer"
    assert answer.header("Cache-Control") == "no-cache"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_uses_nothing_from_outside_and_nothing_inline(client, path):
    page = Page(client.get(path, BROWSER).expect(200).body.decode())
    used = page.values("src") + [link["href"] for link in page.all("link")]
    for url in used:
        assert url.startswith("/") and not url.startswith("//"), url
        client.get(url).expect(200)
    assert not page.values("style") and not page.all("style")
    assert all("src" in script for script in page.all("script"))
    assert not [name for _, attributes in page.elements for name in attributes if name[:2] == "on"]


@pytest.mark.parametrize("path", UNCHANGING)
def test_what_does_not_change_is_sent_once(client, path):
    first = client.get(path, BROWSER).expect(200)
    tag = first.header("ETag")
    assert client.get(path, BROWSER).header("ETag") == tag
    for known in (tag, f'"other", {tag}', "*", "W/" + tag):
        again = client.get(path, {**BROWSER, "If-None-Match": known}).expect(304)
        assert again.body == b"" and again.header("ETag") == tag
    client.get(path, {**BROWSER, "If-None-Match": '"other"'}).expect(200)
    head = client.request("HEAD", path, None, BROWSER).expect(200)
    assert head.body == b"" and head.header("ETag") == tag
    assert head.header("Content-Length") == str(len(first.body))


def test_the_root_leads_programs_to_the_collections(client):
    for accept in ("*/*", "application/json", "application/hal+json", None):
        answer = client.get("/", {"Accept": accept} if accept else {}).expect(200)
        assert answer.header("Content-Type") == "application/hal+json"
        assert "Accept" in answer.headers.get_all("Vary")
    links = answer.json()["_links"]
    assert {"orders", "payments", "deliveries", "stamps", "orderTraces"} <= set(links)
    for link in links.values():
        client.get(link["href"].partition("{")[0]).expect(200)
    documented = judge.document["paths"]["/"]["get"]["responses"]["200"]["content"]
    assert answer.json() == documented["application/hal+json"]["example"]


@pytest.mark.parametrize(
    "name", ["nothing.css", "index.html", "..", "..%2fapi%2fopenapi.json", "%2e%2e", "docs.css/x"]
)
def test_there_are_no_files_but_those_of_the_pages(client, name):
    client.get(f"/assets/{name}").expect(404)


# -------------------------------------------------------------------------------------- problems


@pytest.mark.parametrize("uri", PROBLEMS)
def test_a_problem_type_resolves_to_its_explanation(client, uri):
    explained = client.get(uri).expect(200).json()
    assert explained["type"] == uri
    page = client.get(uri, BROWSER).expect(200).body.decode()
    for words in ("What happened", "Was anything changed?", "What to do", explained["title"]):
        assert words in page


def test_the_explanation_has_the_title_and_status_of_the_problem(client):
    problem = client.get("/nowhere").expect(404).json()
    explained = client.get(problem["type"]).expect(200).json()
    assert {key: explained[key] for key in ("type", "title", "status")} == {
        key: problem[key] for key in ("type", "title", "status")
    }
    client.get("/problems/nothing").expect(404)


def test_a_node_of_one_service_has_no_pages_but_explains_its_problems(serve):
    client = serve("--services", "stamp").client()
    for path in UNCHANGING:
        client.get(path).expect(200 if path.startswith("/problems/") else 404)


# ------------------------------------------------------------------------------------- reference


@pytest.fixture(scope="module")
def reference(shared_server):
    with shared_server.client() as client:
        yield client.get("/docs").expect(200).body.decode()


def test_the_reference_is_well_formed_and_needs_no_script(reference):
    page = Page(reference)
    assert not page.unbalanced and not page.open
    assert not page.all("script")
    assert page.all("html")[0]["lang"] == "en"


def test_the_reference_has_an_outline_and_landmarks(reference):
    page = Page(reference)
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    assert len(page.all("main")) == len(page.all("header")) == len(page.all("nav")) == 1
    assert len(page.all("caption")) == len(page.all("table"))


def test_every_link_inside_the_reference_leads_somewhere(client, reference):
    page = Page(reference)
    ids = page.values("id")
    assert len(set(ids)) == len(ids)
    for link in page.all("a"):
        if link["href"].startswith("#"):
            assert link["href"][1:] in ids
        else:
            client.get(link["href"]).expect(200)
    assert set(page.values("aria-labelledby")) <= set(ids)


def test_the_reference_has_every_operation_and_problem(reference):
    ids = set(Page(reference).values("id"))
    for path, item in judge.document["paths"].items():
        assert path in reference
        for method in METHODS:
            if method in item:
                assert "op-" + item[method]["operationId"] in ids
    for uri in PROBLEMS:
        assert f'href="{uri}"' in reference
    assert PREPARE in reference


# --------------------------------------------------------------------------------- lasting names


@pytest.mark.parametrize("path", ["/", "/board", "/display", "/manager"])
def test_the_files_of_a_page_are_kept_under_names_that_never_have_other_bytes(client, path):
    page = Page(client.get(path, BROWSER).expect(200).body.decode())
    used = page.values("src") + [link["href"] for link in page.all("link")]
    assert used
    for url in used:
        _, folder, build, name = url.split("/")
        assert (folder, len(build)) == ("assets", 12)
        answer = client.get(url).expect(200)
        assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
        plain = client.get(f"/assets/{name}").expect(200)
        assert plain.header("Cache-Control") == "no-cache" and plain.body == answer.body
        # A page of another build: a gateway of this one has its files, for this once.
        other = client.get(f"/assets/{build[::-1]}/{name}").expect(200)
        assert other.header("Cache-Control") == "no-cache"
    client.get(f"/assets/{build}/index.html").expect(404)
