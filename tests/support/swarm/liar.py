#!/usr/bin/python3
"""A peer that says it has all of a release, and serves other bytes: liar.py CONFIG, as JSON.

It speaks as much of BEP 3 as that takes. What it cannot answer, such as requests for hashes (BEP 52),
it ignores. CONFIG: name, address, manifest, origin, tracker
"""

import http.client
import json
import os
import socket
import struct
import sys
import threading
import time
import urllib.parse

import libtorrent as lt

import metainfo

PROTOCOL = b"\x13BitTorrent protocol" + bytes(8)
BITFIELD, UNCHOKE, REQUEST, PIECE = 5, 1, 6, 7


def receive(peer, count):
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


class Liar:
    def __init__(self, config):
        self.config = config
        info = lt.torrent_info(lt.bdecode(metainfo.torrent(config["manifest"], config["origin"], config["tracker"])))
        # Of a v2 torrent's hash, trackers and peers use the first 20 bytes.
        self.infohash = bytes.fromhex(str(info.info_hashes().v2))[:20]
        self.pieces = info.num_pieces()
        self.id = b"-LI0000-" + os.urandom(12)
        self.server = socket.create_server((config["address"], 0))
        self.victims = {}  # by address: bytes that it was sent
        threading.Thread(target=self.listen, daemon=True).start()
        threading.Thread(target=self.call, daemon=True).start()

    def tell(self, event, **more):
        print(json.dumps({"at": time.time(), "client": self.config["name"], "event": event, **more}), flush=True)

    def listen(self):
        while True:
            peer, address = self.server.accept()
            threading.Thread(target=self.talk, args=(peer, address[0]), daemon=True).start()

    def call(self):
        """Whoever is in the swarm, again and again."""
        while True:
            for address, port in self.announce():
                try:
                    peer = socket.create_connection((address, port), 5, (self.config["address"], 0))
                except OSError:
                    continue
                threading.Thread(target=self.talk, args=(peer, address), daemon=True).start()
            time.sleep(2)

    def announce(self):
        url = urllib.parse.urlsplit(self.config["tracker"])
        query = urllib.parse.urlencode({"info_hash": self.infohash, "peer_id": self.id, "port": self.server.getsockname()[1],
                                        "uploaded": 0, "downloaded": 0, "left": 0, "compact": 1, "event": "started"})
        try:
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10, source_address=(self.config["address"], 0))
            connection.request("GET", f"{url.path}?{query}")
            compact = lt.bdecode(connection.getresponse().read())[b"peers"]
            connection.close()
        except (OSError, http.client.HTTPException, KeyError, TypeError):
            return []
        found = [(socket.inet_ntoa(compact[i:i + 4]), *struct.unpack(">H", compact[i + 4:i + 6])) for i in range(0, len(compact), 6)]
        return [it for it in found if it[0] != self.config["address"]]

    def talk(self, peer, address):
        try:
            peer.settimeout(60)
            peer.sendall(PROTOCOL + self.infohash + self.id)
            receive(peer, 68)
            everything = bytearray(b"\xff" * ((self.pieces + 7) // 8))
            everything[-1] &= 0xff << -self.pieces % 8 & 0xff
            peer.sendall(struct.pack(">IB", 1 + len(everything), BITFIELD) + everything + struct.pack(">IB", 1, UNCHOKE))
            while True:
                length, = struct.unpack(">I", receive(peer, 4))
                message = receive(peer, length)
                if length == 13 and message[0] == REQUEST:
                    piece, begin, count = struct.unpack(">III", message[1:])
                    peer.sendall(struct.pack(">IBII", 9 + count, PIECE, piece, begin) + os.urandom(count))
                    self.victims[address] = self.victims.get(address, 0) + count
        except (OSError, EOFError):
            pass
        finally:
            peer.close()


def main():
    liar = Liar(json.loads(sys.argv[1]))
    liar.tell("here")
    sys.stdin.read()
    liar.tell("lied", peers=len(liar.victims), bytes=sum(liar.victims.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
