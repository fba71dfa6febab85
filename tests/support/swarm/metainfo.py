"""The torrent of a release."""

from commands import run


def torrent(manifest, web_seed, tracker):
    """Metainfo, which everybody makes by themselves of the manifest."""
    return run("swarmexport", manifest, "--format", "torrent", "--kind", "v2", "--web-seed", web_seed, "--tracker", tracker)
