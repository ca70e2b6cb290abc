"""The cluster's DNS: answers service and pod names from a table that watches keep; nothing is forwarded, nothing cached."""
import socket
import socketserver
import struct
import threading

DOMAIN = ("cluster", "local")
A, AAAA, ANY = 1, 28, 255
NOERROR, NXDOMAIN, FORMERR = 0, 3, 1


class Table:
    """Names to addresses. Written by the two watchers, read by the servers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.services = {}   # (namespace, service) -> cluster address, or None when headless
        self.endpoints = {}  # (namespace, service) -> {pod host name or "": [address]}

    def put_service(self, kind, service):
        key = (service["metadata"]["namespace"], service["metadata"]["name"])
        with self.lock:
            if kind == "DELETED":
                self.services.pop(key, None)
            else:
                address = service["spec"].get("clusterIP")
                self.services[key] = None if address in (None, "", "None") else address

    def put_endpoints(self, kind, endpoints):
        key = (endpoints["metadata"]["namespace"], endpoints["metadata"]["name"])
        names = {"": []}
        for subset in endpoints.get("subsets") or []:
            for address in subset.get("addresses") or []:
                names[""].append(address["ip"])
                if address.get("hostname"):
                    names.setdefault(address["hostname"], []).append(address["ip"])
        with self.lock:
            if kind == "DELETED":
                self.endpoints.pop(key, None)
            else:
                self.endpoints[key] = {name: sorted(set(ips)) for name, ips in names.items()}

    def replace(self, put, kept, items):
        """Takes a whole list: puts what is in it first, then drops what is not, so that no name is missing in between."""
        for item in items:
            put("ADDED", item)
        listed = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in items}
        with self.lock:
            for key in [key for key in kept if key not in listed]:
                del kept[key]

    def find(self, labels):
        """The addresses of a name, or None when there is no such name."""
        if labels[-2:] == DOMAIN:
            labels = labels[:-2]
        if len(labels) not in (3, 4) or labels[-1] != "svc":
            return None
        key = (labels[-2], labels[-3])
        with self.lock:
            if key not in self.services:
                return None
            if len(labels) == 4:
                return self.endpoints.get(key, {}).get(labels[0])
            if self.services[key] is not None:
                return [self.services[key]]
            return self.endpoints.get(key, {}).get("", [])


def answer(table, query):
    """The response to one query; None when it is not a query. Time to live 0, and no SOA, so that nobody caches a 'no'."""
    if len(query) < 12:
        return None
    ident, flags, questions = struct.unpack(">HHH", query[:6])
    if flags & 0x8000:
        return None
    at, labels = 12, []
    try:
        while size := query[at]:
            if size > 63:
                raise ValueError("compressed question")
            labels.append(query[at + 1:at + 1 + size].decode("ascii").lower())
            at += 1 + size
        kind, _ = struct.unpack(">HH", query[at + 1:at + 5])
        question = query[12:at + 5]
        if questions != 1:
            raise ValueError("one question at a time")
    except (IndexError, ValueError, struct.error):
        return struct.pack(">HHHHHH", ident, 0x8000 | FORMERR, 0, 0, 0, 0)
    found = table.find(tuple(labels))
    records = [] if found is None or kind not in (A, ANY) else found
    code = NXDOMAIN if found is None else NOERROR
    head = struct.pack(">HHHHHH", ident, 0x8480 | (flags & 0x0100) | code, 1, len(records), 0, 0)
    body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 0, 4) + socket.inet_aton(ip) for ip in records)
    return head + question + body


def serve(table, address):
    """Binds UDP and TCP port 53 at the address and answers on threads of its own."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 53))

    def datagrams():
        while True:
            query, peer = udp.recvfrom(4096)
            response = answer(table, query)
            if response is None:
                continue
            if len(response) > 512:
                response = response[:2] + struct.pack(">H", struct.unpack(">H", response[2:4])[0] | 0x0200) + response[4:6] + bytes(6) + response[12:512]
                response = response[:12] + query[12:query.index(b"\0", 12) + 5]
            try:
                udp.sendto(response, peer)
            except OSError:
                pass  # the asking pod is gone

    class Stream(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.settimeout(5)
            try:
                size = struct.unpack(">H", self.request.recv(2, socket.MSG_WAITALL))[0]
                response = answer(table, self.request.recv(size, socket.MSG_WAITALL))
                if response:
                    self.request.sendall(struct.pack(">H", len(response)) + response)
            except (OSError, struct.error):
                pass

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    tcp = Server((address, 53), Stream)
    threading.Thread(target=tcp.serve_forever, daemon=True).start()
    threading.Thread(target=datagrams, daemon=True).start()


def run(api, address):
    """Starts the servers and the watchers."""
    table = Table()
    serve(table, address)
    for path, put, kept in (("/api/v1/services", table.put_service, table.services), ("/api/v1/endpoints", table.put_endpoints, table.endpoints)):
        threading.Thread(target=api.follow, daemon=True,
                         args=(path, lambda items, put=put, kept=kept: table.replace(put, kept, items), put)).start()
