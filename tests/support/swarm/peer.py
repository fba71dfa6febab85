"""A BitTorrent client: a libtorrent session on an address of its own."""

import random
import time

import libtorrent as lt

SETTINGS = {
    "user_agent": "swarm-test",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    # Plain: a processor for all peers has better things to do.
    "in_enc_policy": 2,
    "out_enc_policy": 2,
    "aio_threads": 2,
    "hashing_threads": 1,
    "connection_speed": 100,
    "min_reconnect_time": 2,
    "urlseed_wait_retry": 1,
    "urlseed_max_request_bytes": 65536,
    "urlseed_pipeline_size": 2,
    "unchoke_slots_limit": 8,
    # A seedbox wants to see who else is a seed.
    "close_redundant_connections": False,
}
# Seconds that peers get to say what they have, and seconds without a byte after which what they
# promise is not believed any more.
GRACE = (1.0, 3.0)
PATIENCE = (4.0, 8.0)


class Peer:
    def __init__(self, address, upload_rate):
        self.session = lt.session({**SETTINGS, "listen_interfaces": f"{address}:0", "outgoing_interfaces": address,
                                   "upload_rate_limit": upload_rate, "alert_mask": lt.alert.category_t.storage_notification})
        # Peers on this machine would else be spared all limits.
        everyone = lt.ip_filter()
        everyone.add_rule("0.0.0.0", "255.255.255.255", 0)
        self.session.set_peer_class_filter(everyone)

    def fetch(self, torrent, folder):
        how = lt.add_torrent_params()
        how.ti = lt.torrent_info(lt.bdecode(torrent))
        how.save_path = folder
        # Web seeds are for what the swarm lacks: see Transfer.
        how.flags |= lt.torrent_flags.override_web_seeds
        how.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
        return Transfer(self.session.add_torrent(how), how.ti.web_seeds()[0]["url"])

    def flush(self, transfer):
        """Returns when all that it has is in the files."""
        transfer.handle.flush_cache()
        limit = time.monotonic() + 120
        while time.monotonic() < limit:
            self.session.wait_for_alert(1000)
            if any(isinstance(alert, lt.cache_flushed_alert) for alert in self.session.pop_alerts()):
                return
        raise TimeoutError("libtorrent does not flush its cache")


class Transfer:
    """A torrent of a session, which uses its web seed only where it must."""

    def __init__(self, handle, web_seed):
        self.handle, self.web_seed = handle, web_seed
        self.using_web_seed = False
        self.received = self.rechecks = 0
        self.begin()

    def begin(self):
        self.grace = time.monotonic() + random.uniform(*GRACE)
        self.patience = random.uniform(*PATIENCE)
        self.changed = time.monotonic()

    def is_checked(self):
        states = lt.torrent_status.states
        return self.status().state not in (states.checking_files, states.checking_resume_data)

    def is_complete(self):
        return self.status().is_seeding

    def status(self):
        return self.handle.status(0)

    def swarm_lacks(self):
        """Whether some piece is with no peer, and not here."""
        web_seeds = sum(1 for peer in self.handle.get_peer_info()
                        if peer.connection_type == lt.peer_info.web_seed and not peer.flags & (peer.connecting | peer.handshake))
        have = self.handle.status(lt.torrent_handle.query_pieces).pieces
        return any(count <= web_seeds and not got for got, count in zip(have, self.handle.piece_availability()))

    def other_seeds(self):
        return sum(1 for peer in self.handle.get_peer_info() if peer.flags & peer.seed)

    def is_stalled(self):
        received = self.status().total_payload_download - self.status().total_failed_bytes
        if received > self.received:
            self.received, self.changed = received, time.monotonic()
        return time.monotonic() - self.changed > self.patience

    def is_wedged(self):
        """Whether a piece has all its blocks and is neither right nor wrong.

        libtorrent 2.0.8 waits for ever where the peer that it asked for the hashes of the blocks has
        left, as one that it bans does.
        """
        finished = 3
        return any(all(block["state"] == finished for block in piece["blocks"]) for piece in self.handle.get_download_queue())

    def tend(self):
        """To be called a few times a second, until it is complete."""
        stalled = not self.is_complete() and self.is_stalled()
        if stalled and self.is_wedged():
            self.handle.force_recheck()
            self.rechecks += 1
            self.begin()
            return
        wanted = not self.is_complete() and time.monotonic() > self.grace and (stalled or self.swarm_lacks())
        if wanted and not self.using_web_seed:
            self.handle.add_url_seed(self.web_seed)
        elif not wanted and self.using_web_seed:
            self.handle.remove_url_seed(self.web_seed)
        self.using_web_seed = wanted

    def describe(self):
        """For who wonders why it takes so long."""
        status = self.handle.status(lt.torrent_handle.query_pieces)
        lacking = [i for i, got in enumerate(status.pieces) if not got]
        peers = [f"{peer.ip} flags {peer.flags:#x} pieces {peer.num_pieces} of {len(status.pieces)}, requests "
                 f"{peer.download_queue_length}, {peer.failcount} failures" for peer in self.handle.get_peer_info()]
        queue = [(it["piece_index"], [block["state"] for block in it["blocks"]]) for it in self.handle.get_download_queue()]
        return (f"{status.state}, error '{status.errc.message() if status.errc.value() else ''}', lacks {lacking[:20]}, web seed "
                f"{self.using_web_seed}, queue {queue[:10]}, peers {peers}")

    def counters(self):
        status = self.status()
        return {"received": status.total_payload_download, "sent": status.total_payload_upload,
                "failed": status.total_failed_bytes, "redundant": status.total_redundant_bytes,
                "rechecks": self.rechecks}
