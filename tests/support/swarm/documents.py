"""What a client reads in documents that were verified."""

import base64
import json


def head_statement(path):
    """The predicate of a head."""
    with open(path, "rb") as line:
        return json.loads(base64.b64decode(json.load(line)["payload"]))["predicate"]


def files(manifest):
    """The entries of a manifest, by path."""
    with open(manifest, encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines][1:-1]
    return {entry["path"]: entry for entry in entries}


def header(document):
    """The first line of a manifest or a delta."""
    with open(document, encoding="utf-8") as lines:
        return json.loads(lines.readline())


def patch_release(product, before, version):
    """(product, version) of the release whose one file is the solid payload between two others."""
    return f"{product}-patch", f"{before}-{version}"
