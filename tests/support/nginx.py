"""Debian's nginx with the configuration of docs/deploy.md, on loopback ports, in a folder of its own."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import ROOT, START_LIMIT, ServerProcess, answers, free_port

#: Debian keeps it where not everybody's PATH looks.
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

#: What every nginx.conf has around the files of conf.d.
MAIN = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/main.error.log;
worker_processes 2;
events {{ worker_connections 768; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/attendance.conf;
}}
"""


def documented(*, machines: bool = False) -> str:
    """The configuration of docs/deploy.md: for one machine, or for more."""
    one, upstreams, location = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL)
    if not machines:
        return str(one)
    more = re.sub(r"upstream attendance \{.*?\n\}\n", lambda _: upstreams, one, flags=re.DOTALL)
    return more.replace("    location / {\n        proxy_pass", f"{location}    location / {{\n        proxy_pass")


class Nginx(ServerProcess):
    """One nginx in front of servers; `servers` says which port each address of the configuration really is at."""

    def __init__(self, configuration: str, servers: Mapping[str, int]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="attendance-nginx-"))
        self.log = self.folder / "start.log"
        self.http_port, self.port = free_port(), free_port()
        self.certificate = self.folder / "certificate.pem"
        self.configuration = self._here(configuration, servers)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"wss://127.0.0.1:{self.port}/ws"

    @property
    def logs(self) -> str:
        """All that it has logged."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def start(self) -> "Nginx":
        """Returns once it listens; AssertionError with its log if it does not."""
        assert NGINX is not None
        self._make_certificate()
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(MAIN.format(folder=self.folder, user=user))
        (self.folder / "attendance.conf").write_text(self.configuration)
        self.launch([NGINX, "-p", str(self.folder), "-c", "nginx.conf", "-e", str(self.folder / "main.error.log")])
        until, pause = time.monotonic() + START_LIMIT, threading.Event()
        while time.monotonic() < until:
            assert self.running, self.logs
            if answers(self.http_port) and answers(self.port):
                return self
            pause.wait(0.02)
        raise AssertionError(self.logs)

    def _here(self, configuration: str, servers: Mapping[str, int]) -> str:
        """The configuration with this machine's ports and folders in the place of the real ones, all else as it is."""
        configuration = re.sub(r" *listen \[::\].*\n", "", configuration)  # not every machine has IPv6
        places = {
            "listen 80;": f"listen 127.0.0.1:{self.http_port};",
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            "/etc/letsencrypt/live/attendance.example.org/fullchain.pem": str(self.certificate),
            "/etc/letsencrypt/live/attendance.example.org/privkey.pem": str(self.folder / "key.pem"),
            "/var/log/nginx/": f"{self.folder}/",
            **{f"server {address};": f"server 127.0.0.1:{port};" for address, port in servers.items()},
        }
        for real, here in places.items():
            assert real in configuration, f"{real} is not in docs/deploy.md"
            configuration = configuration.replace(real, here)
        return configuration

    def _make_certificate(self) -> None:
        names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
        files = ("-out", str(self.certificate), "-keyout", str(self.folder / "key.pem"))
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
        command = ["openssl", "req", "-x509", *kind, "-subj", "/CN=localhost", "-addext", names, *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)
