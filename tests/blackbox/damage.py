"""Damage to the LMDB data of a stopped server, with matching checksums: the tests check the
program's handling of wrong data, not the detection of changed bytes."""

import ctypes

from support import Server

SERVICES = ("order", "payment", "delivery", "stamp", "ordertrace")
XXHASH = ctypes.CDLL("libxxhash.so.0")
XXHASH.XXH3_64bits_withSeed.restype = ctypes.c_uint64
XXHASH.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
SEAL = 9


def stopped_server(folder, orders, phone):
    """A server's data: each order earned a stamp, so the phone's ledger has a line for each."""
    with Server(folder / "data") as server:
        shop = server.shop()
        for _ in range(orders):
            shop.wait_consistent(shop.paid_order(phone=phone))
        server.stop()
    return server


def xxh3(data, seed=0):
    return XXHASH.XXH3_64bits_withSeed(data, len(data), seed)


def seal(table, key, value):
    """The checksum behind a value (persistence/tables/sealed_value.hpp)."""
    return b"\x1e%08x" % (xxh3(value, xxh3(key, xxh3(table.encode()))) & 0xFFFFFFFF)


def replace_sealed(content, tables, key, at, end, value):
    """Replaces a key's value at a place; false where none of the tables' checksums is there."""
    for table in tables:
        if content[end : end + SEAL] == seal(table, key, bytes(content[at:end])):
            content[at : end + SEAL] = value + seal(table, key, value)
            return True
    return False


def in_lmdb(data, service, holding, old, new):
    """Replaces bytes in the document of a service that holds a text, in every page that has it."""
    assert len(old) == len(new), "pages keep their lengths"
    path = data / "lmdb" / "data.mdb"
    content, changed, at = bytearray(path.read_bytes()), 0, 0
    while (at := content.find(b'{"type":"%s"' % service.encode(), at)) >= 0:
        end = content.find(b"\x1e", at)
        document = bytes(content[at:end])
        # A freed page may hold the front of an old document, which is no value and stays unchanged.
        if holding.encode() in document and old.encode() in document:
            changed += replace_sealed(
                content,
                (f"{service}.entities", f"{service}.tombstones"),
                bytes(content[at - 8 : at]),
                at,
                end,
                document.replace(old.encode(), new.encode(), 1),
            )
        at += 1
    assert changed, f"{old} is in no document of {service} that holds {holding}"
    path.write_bytes(content)


def in_lmdb_row(data, key, old, new):
    """Replaces the front of a row's value, behind its key, in every page that has it."""
    assert len(old) == len(new), "pages keep their lengths"
    path = data / "lmdb" / "data.mdb"
    content, changed, at = bytearray(path.read_bytes()), 0, 0
    while (at := content.find(key.encode() + old, at)) >= 0:
        at += len(key)
        end = content.find(b"\x1e", at)
        value = new + bytes(content[at + len(old) : end])
        changed += replace_sealed(
            content, [f"{s}.meta" for s in SERVICES], key.encode(), at, end, value
        )
    assert changed, f"no row {key} begins with {old}"
    path.write_bytes(content)
