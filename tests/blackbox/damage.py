"""Damage to the LMDB data of a stopped server."""


def in_lmdb(data, service, holding, old, new):
    """Replaces bytes in the document of a service that holds a text, in every page that has it."""
    assert len(old) == len(new), "pages keep their lengths"
    path = data / "lmdb" / "data.mdb"
    content, changed, at = bytearray(path.read_bytes()), 0, 0
    while (at := content.find(b'{"type":"%s"' % service.encode(), at)) >= 0:
        end, following = content.find(b"}}", at), content.find(b'{"type":"', at + 1)
        # A freed page may hold the front of an old document: that is none, and stays as it is.
        whole = end >= 0 and not 0 <= following < end
        document = bytes(content[at:end]) if whole else b""
        if holding.encode() in document and old.encode() in document:
            place = at + document.index(old.encode())
            content[place : place + len(old)] = new.encode()
            changed += 1
        at += 1
    assert changed, f"{old} is in no document of {service} that holds {holding}"
    path.write_bytes(content)


def in_lmdb_row(data, key, old, new):
    """Replaces the front of a row's value, behind its key, in every page that has it."""
    assert len(old) == len(new), "pages keep their lengths"
    path = data / "lmdb" / "data.mdb"
    content = path.read_bytes()
    assert key.encode() + old in content, f"no row {key} begins with {old}"
    path.write_bytes(content.replace(key.encode() + old, key.encode() + new))
