"""What a client reads in manifests and heads that were verified."""

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


def header(manifest):
    with open(manifest, encoding="utf-8") as lines:
        return json.loads(lines.readline())
