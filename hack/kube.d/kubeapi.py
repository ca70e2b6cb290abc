"""The little of the Kubernetes API that the add-ons need: list, watch, create, patch, delete, with the admin's certificate."""
import http.client
import json
import ssl
import time


class ApiError(Exception):
    """An answer that is not a success; status is HTTP's."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text[:200]}")
        self.status = status


class Api:
    """Calls one API server. Each call and each watch has a connection of its own, so threads may share an instance."""

    def __init__(self, host, pki):
        self.host = host
        self.tls = ssl.create_default_context(cafile=f"{pki}/ca.crt")
        self.tls.load_cert_chain(f"{pki}/admin.crt", f"{pki}/admin.key")

    def _connect(self, timeout):
        return http.client.HTTPSConnection(self.host, 6443, timeout=timeout, context=self.tls)

    def call(self, method, path, body=None, content="application/json"):
        connection = self._connect(10)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": content, "Accept": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status >= 300:
                raise ApiError(answer.status, text)
            return json.loads(text)
        finally:
            connection.close()

    def _watch(self, path, version, on_event):
        """Passes events on until the server ends the watch; its own deadline is 5 minutes."""
        connection = self._connect(330)
        try:
            connection.request("GET", f"{path}?watch=1&timeoutSeconds=300&resourceVersion={version}")
            answer = connection.getresponse()
            if answer.status != 200:
                raise ApiError(answer.status, answer.read().decode())
            while line := answer.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(event["object"].get("code", 500), str(event["object"]))
                version = event["object"]["metadata"]["resourceVersion"]
                on_event(event["type"], event["object"])
            return version
        finally:
            connection.close()

    def follow(self, path, on_list, on_event):
        """Lists, then watches for ever. While the server is away the last state stays; a gap in the history lists anew."""
        version = None
        while True:
            try:
                if version is None:
                    answer = self.call("GET", path)
                    version = answer["metadata"]["resourceVersion"]
                    on_list(answer.get("items") or [])
                version = self._watch(path, version, on_event)
            except (OSError, http.client.HTTPException, ValueError, ApiError) as e:
                if version is not None or not isinstance(e, OSError):
                    print(f"{path}: {e}; listing anew", flush=True)
                version = None
                time.sleep(0.2)
