"""What a story comes to: bytes, times and rates."""

import collections
import math

from scenario import VERSIONS


def spread(requests, since, until):
    """Requests that began in each second."""
    found = collections.Counter(int(it.began - since) for it in requests if since <= it.began < until)
    return [found[second] for second in range(math.ceil(until - since))]


def share_done(moments, share):
    """When that share of all was done."""
    return sorted(moments)[math.ceil(share * len(moments)) - 1]


def is_peer_content(told, request, version):
    """Whether peers could have served it."""
    folder, _, path = request.path.lstrip("/").partition("/")
    files = told["shared"][version].get(folder)
    return files is not None and (path not in files or files[path]["label"] == "public")


def phase(told, version, since, until):
    """One release's way to all clients."""
    events = [it for it in told["events"] if it.get("version") == version]
    by_kind = {kind: {it["client"]: it for it in events if it["event"] == kind}
               for kind in ("head", "turn", "prepared", "transfer", "complete")}
    ends = {it["client"]: it["transfers"].get(version) for it in told["events"] if it["event"] == "end"}
    requests = [it for it in told["requests"] if since <= it.began < until]
    content = [it for it in requests if it.kind() == "content" and is_peer_content(told, it, version)]
    clients = []
    for name, done in sorted(by_kind["complete"].items()):
        prepared, turn, sent = by_kind["prepared"].get(name), by_kind["turn"].get(name), ends.get(name)
        if prepared is None:
            continue
        clients.append({
            "client": name, "way": prepared["way"], "turn": turn["at"] - since, "complete": done["at"] - since,
            "seconds": done["at"] - turn["at"], "held_bytes": prepared["held"], "needed_bytes": prepared["needed"],
            "missing_bytes": by_kind["transfer"][name]["missing"], "received_bytes": done["received"],
            "failed_bytes": done["failed"], "redundant_bytes": done["redundant"],
            "rechecks": done["rechecks"], "sent_bytes": sent["sent"] if sent else None})
    needed = sum(it["needed_bytes"] for it in clients)
    origin = sum(it.bytes for it in content)
    seconds = spread(requests, since, until)
    but_polls = spread([it for it in requests if it.kind() != "head"], since, until)
    kinds = collections.Counter(it.kind() for it in requests)
    moments = [it["complete"] for it in clients]
    return {
        "version": version, "clients": clients, "needed_bytes": needed, "origin_content_bytes": origin,
        "copies_from_origin": origin / (needed / len(clients)), "offload": 1 - origin / needed,
        "origin_other_bytes": sum(it.bytes for it in requests) - origin,
        "requests": {**kinds, "refused": sum(it.status == 503 for it in requests)},
        "requests_by_second": seconds, "peak_requests": max(seconds),
        "requests_but_polls_by_second": but_polls, "peak_requests_but_polls": max(but_polls),
        "bytes_by_second": by_second(requests, since, until),
        "complete_50": share_done(moments, 0.5), "complete_95": share_done(moments, 0.95),
        "complete_100": share_done(moments, 1), "failed_bytes": sum(it["failed_bytes"] for it in clients)}


def by_second(requests, since, until):
    found = collections.Counter()
    for it in requests:
        found[int(it.began - since)] += it.bytes
    return [found[second] for second in range(math.ceil(until - since))]


def add_seedbox(update, sent):
    """What the publisher's own peer sent is the publisher's load, too."""
    update["seedbox_bytes"] = sent
    update["offload"] -= sent / update["needed_bytes"]
    update["copies_from_origin"] += sent / (update["needed_bytes"] / len(update["clients"]))


def figures(told):
    """As one object for JSON; times are seconds since the start of the phase."""
    at, story = told["at"], told["story"]
    result = {"story": story, "delta_bytes": told["delta_bytes"]}
    if story["arrival"] is not None:
        turns = [it["at"] for it in told["events"] if it["event"] == "turn" and it["version"] == VERSIONS[0]]
        result["install"] = phase(told, VERSIONS[0], min(turns) - 1, at["publish"])
    result["update"] = phase(told, VERSIONS[1], at["start"], at["end"])
    for it in told["events"]:
        if it["client"] == "seedbox" and it["event"] == "end":
            add_seedbox(result["update"], it["transfers"][VERSIONS[1]]["sent"])
    result["update"]["published"] = at["publish"] - at["start"]
    if "death" in at:
        result["update"]["origin_died"] = at["death"] - at["start"]
        result["update"]["complete_before_death"] = sum(
            it["complete"] < result["update"]["origin_died"] for it in result["update"]["clients"])
    lies = [it for it in told["events"] if it["event"] == "lied"]
    if lies:
        result["liar"] = {"peers": lies[0]["peers"], "bytes": lies[0]["bytes"]}
    return result
