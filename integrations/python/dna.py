"""Connect to a service of a domain that somebody else may host.

The local daemon (dnaverify serve) says where the service is, and whether the
server that answers there may act for the domain:

    import dna
    conn = dna.connect("b.example", "imap")     # an ssl.SSLSocket, proven

Only the standard library is needed. Python's ssl module verifies the server's
chain to the system's trust anchors, and the daemon does the rest.
"""

import http.client
import json
import socket
import ssl

SOCKET = "/run/dnaverify/dnaverify.sock"


class Refused(Exception):
    """No server may be used. The text is the daemon's message."""


class _Daemon(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, question, daemon=SOCKET):
    """Ask the daemon. The answer is as in docs/openapi.yaml."""
    conn = _Daemon(daemon)
    try:
        conn.request("POST", path, json.dumps(question), {"Content-Type": "application/json"})
        answer = json.load(conn.getresponse())
    finally:
        conn.close()
    if answer["outcome"] != "verified":
        raise Refused(answer["message"])
    return answer


def connect(source, service, daemon=SOCKET, context=None, dial=socket.create_connection, starttls=None):
    """Connect and prove the server.

    context is an ssl.SSLContext that verifies chains; the default one does.
    dial connects to (host, port). starttls(sock, source) begins TLS in the
    service's own protocol, up to the point where the handshake comes. Without it,
    only targets where TLS comes with the first byte are tried.
    """
    context = context or ssl.create_default_context()
    context.check_hostname = False  # the daemon says which names count
    context.verify_mode = ssl.CERT_REQUIRED
    problem = Refused("there is no target of %s to connect to" % source)
    for target in ask("/v1/targets", {"source": source, "service": service}, daemon)["targets"]:
        if target["start"] != "direct" and not (target["start"] == "starttls" and starttls):
            continue
        sock = None
        try:
            sock = dial((target["host"], target["port"]))
            if target["start"] == "starttls":
                starttls(sock, source)
            sock = context.wrap_socket(sock, server_hostname=target["server_name"])
            ask("/v1/check", {
                "source": source, "service": service, "direction": "outgoing",
                "target": {"host": target["host"], "port": target["port"]},
                "chain": ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True)),
                "chain_verified": True,  # by context, in this handshake
            }, daemon)
            return sock
        except (OSError, Refused) as e:
            problem = e
            if sock:
                sock.close()
    raise problem
