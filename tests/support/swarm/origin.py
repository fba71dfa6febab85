"""The origin: nginx, which serves a folder, and is the web seed (BEP 19) of what lies in it.

/NAME is a document: a head, a manifest, a delta. /NAME/... is content, and limited for all clients
together: so many requests a second. What is above that waits, and if too many wait, is refused and told
when to ask again.
"""

import dataclasses
import os
import re
import subprocess

from children import Stuck, answers, free_port, start, wait_until

CONFIG = """
daemon off;
master_process off;
error_log {folder}/error.log;
pid {folder}/pid;
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    log_format swarm '$msec $request_time $remote_addr $status $body_bytes_sent $request_uri';
    access_log {folder}/access.log swarm;
    default_type application/octet-stream;
    sendfile on;
    keepalive_requests 100000;
    limit_req_zone $server_name zone=all:1m rate={rate}r/s;
    limit_req_status 503;
    server {{
        listen {address}:{port} backlog=4096;
        server_name origin;
        root {www};
        location ~ ^/[^/]+$ {{
            gzip on;
            gzip_types *;
            add_header Cache-Control no-cache;
        }}
        location / {{
            limit_req zone=all burst={queue};
            error_page 503 @later;
        }}
        location @later {{
            add_header Retry-After 1 always;
            return 503;
        }}
    }}
}}
"""


@dataclasses.dataclass
class Request:
    began: float  # seconds since the epoch
    ended: float
    client: str  # its address
    status: int
    bytes: int  # of the body
    path: str

    def kind(self):
        """content, head, manifest or delta"""
        if self.path.count("/") > 1:
            return "content"
        return self.path.rpartition(".")[2]


class Origin:
    """An nginx of its own, until stop()."""

    def __init__(self, folder, address, rate, queue=100):
        """rate: requests for content a second, of all clients; queue: how many of them may wait."""
        self.folder = os.path.join(folder, "origin")
        self.www = os.path.join(self.folder, "www")
        self.address, self.rate, self.queue = address, rate, queue
        self.log = os.path.join(self.folder, "access.log")
        os.makedirs(self.www)
        self.child = self.port = None
        for _ in range(5):
            if self._try():
                return
        with open(os.path.join(self.folder, "said"), encoding="utf-8") as said:
            raise Stuck(f"nginx does not start: {said.read()[-1000:]}")

    def _try(self):
        self.port = free_port(self.address)
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w", encoding="utf-8") as out:
            out.write(CONFIG.format(folder=self.folder, www=self.www, address=self.address, port=self.port,
                                    rate=self.rate, queue=self.queue))
        path = os.environ.get("PATH", "") + ":/usr/sbin"
        with open(os.path.join(self.folder, "said"), "a", encoding="utf-8") as said:
            self.child = start(["nginx", "-p", self.folder, "-c", config, "-e", f"{self.folder}/error.log"],
                               stdin=subprocess.DEVNULL, stdout=said, stderr=said, env={**os.environ, "PATH": path})
        wait_until(lambda: self.child.poll() is not None or answers(self.address, self.port), 30, "nginx")
        return self.child.poll() is None

    def url(self):
        return f"http://{self.address}:{self.port}/"

    def stop(self):
        """At once, as a machine that dies."""
        self.child.kill()
        self.child.wait()

    def requests(self):
        """What was served so far, in the order in which it ended."""
        found = []
        with open(self.log, encoding="utf-8") as lines:
            for line in lines:
                fields = re.fullmatch(r"(\S+) (\S+) (\S+) (\d+) (\d+) (\S+)\n", line)
                if fields:
                    ended, took = float(fields[1]), float(fields[2])
                    found.append(Request(ended - took, ended, fields[3], int(fields[4]), int(fields[5]), fields[6]))
        return found
