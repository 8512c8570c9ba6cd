"""Clients that generators make of the API's description, each of which runs one saga: place, pay,
move the delivery to its end, read stamps and trace, meet a 404 as the problem that it is, read a
page of a list."""

import shutil

import pytest
from conftest import DOCUMENT, SOURCES, Workshop
from rest import COFFEE, PREPARE, Client, Shop


def assert_delivered(server, printed):
    """The saga's last word is its order's id."""
    with server.client() as client:
        order = client.get(f"/orders/{printed.split()[-1]}").expect(200).json()
        assert order["delivered"] and order["productId"] == 2**53 - 1 and order["cost"] == 10**12
        delivery = client.get(f"/deliveries/{order['id']}").expect(200).json()
        assert delivery["deliveryStatus"] == "END"


@pytest.fixture(scope="session")
def java():
    """The class path of what Maven made: the client of openapi-generator, and both programs."""
    shop = Workshop("java")
    shop.needs("mvn", "javac")
    target = shop.folder / "target"
    shutil.rmtree(target, ignore_errors=True)
    shop.install(
        "mvn",
        "--batch-mode",
        "--quiet",
        f"--file={SOURCES / 'java' / 'pom.xml'}",
        f"-Dskanu.build={target}",
        "process-classes",
    )
    return f"{target / 'classes'}:{(target / 'classpath').read_text()}"


def test_openapi_typescript(server, base):
    shop = Workshop("typescript")
    shop.needs("node", "npm")
    for name in ("package.json", "package-lock.json", "tsconfig.json", "saga.ts"):
        shutil.copy(shop.sources / name, shop.folder)
    shop.install_once(
        shop.folder / "package-lock.json",
        *("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"),
    )
    tools = shop.folder / "node_modules" / ".bin"
    shop.run(tools / "openapi-typescript", DOCUMENT, "--output", "api.d.ts")
    shop.run(tools / "tsc")
    assert_delivered(server, shop.run("node", "out/saga.js", base))


def test_openapi_python_client(server, base):
    shop = Workshop("python")
    tools = shop.folder / "venv" / "bin"
    requirements = shop.sources / "requirements.txt"
    if not (tools / "pip").exists():
        shop.run("/usr/bin/python3", "-m", "venv", "--clear", "venv")
        (shop.folder / "installed").unlink(missing_ok=True)
    pip = (tools / "pip", "install", "--disable-pip-version-check")
    shop.install_once(requirements, *pip, "--require-hashes", "--requirement", requirements)
    shop.run(
        *(tools / "openapi-python-client", "generate", "--path", DOCUMENT, "--meta", "none"),
        *("--output-path", "skanu_client", "--overwrite", "--fail-on-warning"),
        path=tools,
    )
    shop.run(tools / "python", "-m", "compileall", "-q", "skanu_client")
    every_module = (
        "import importlib, pkgutil, skanu_client\n"
        "for one in pkgutil.walk_packages(skanu_client.__path__, 'skanu_client.'):\n"
        "    importlib.import_module(one.name)\n"
    )
    shop.run(tools / "python", "-c", every_module)
    saga = shop.sources / "saga.py"
    assert_delivered(server, shop.run(tools / "python", saga, base, PYTHONPATH=str(shop.folder)))


def test_openapi_generator_java(server, base, java):
    assert_delivered(server, Workshop("java").run("java", "-cp", java, "skanu.clients.Saga", base))


def test_the_links_lead_spring_hateoas_to_everything_of_an_order(server_with_public_url, java):
    server, url = server_with_public_url
    with Client(server.port) as client:
        shop = Shop(client)
        for _ in range(5):
            newest = client.post("/orders", COFFEE).expect(201)
        order_id = newest.json()["id"]
        assert newest.header("Location") == f"{url}/orders/{order_id}"
        client.post("/payments", {"orderId": order_id, "paymentStatus": "END"}).expect(201)
        shop.wait_delivery(order_id, PREPARE)
        shop.wait_trace(order_id, "PAY END")
    printed = Workshop("java").run("java", "-cp", java, "skanu.clients.LinkFollower", f"{url}/")
    assert int(printed.split()[-1]) == order_id
