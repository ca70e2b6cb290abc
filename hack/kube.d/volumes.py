"""A provisioner of local volumes: a directory per claim, made when the claim's pod is scheduled, removed with the volume."""
import os
import re
import shutil
import threading

from kubeapi import ApiError

PROVISIONER = "quantadb.io/directory"
VOLUMES = "/api/v1/persistentvolumes"


class Volumes:
    """Owns the directories below root. A volume's kind is `local`, so that a pod's fsGroup is applied as on real storage."""

    def __init__(self, api, root, node):
        self.api, self.root, self.node = api, root, node

    def run(self):
        os.makedirs(self.root, exist_ok=True)
        for path, on_event in (("/api/v1/persistentvolumeclaims", self.on_claim), (VOLUMES, self.on_volume)):
            threading.Thread(target=self.api.follow, daemon=True,
                             args=(path, lambda items, f=on_event: [f("ADDED", i) for i in items], on_event)).start()

    def _class(self, name):
        try:
            cls = self.api.call("GET", f"/apis/storage.k8s.io/v1/storageclasses/{name}")
        except ApiError as e:
            if e.status == 404:
                return None
            raise
        return cls if cls["provisioner"] == PROVISIONER else None

    def on_claim(self, kind, claim):
        """Makes a volume for a claim of our class: at once, or when the scheduler has chosen the pod's node."""
        spec, meta = claim["spec"], claim["metadata"]
        if kind == "DELETED" or not spec.get("storageClassName") or spec.get("volumeName") or meta.get("deletionTimestamp"):
            return
        cls = self._class(spec["storageClassName"])
        if cls is None:
            return
        waits = cls.get("volumeBindingMode") == "WaitForFirstConsumer"
        if waits and "volume.kubernetes.io/selected-node" not in (meta.get("annotations") or {}):
            return
        name = "pvc-" + meta["uid"]
        path = os.path.join(self.root, name)
        os.makedirs(path, exist_ok=True)
        volume = {
            "apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "accessModes": spec["accessModes"], "storageClassName": cls["metadata"]["name"],
                "persistentVolumeReclaimPolicy": cls.get("reclaimPolicy", "Delete"), "local": {"path": path},
                "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta["namespace"],
                             "name": meta["name"], "uid": meta["uid"]},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                    {"key": "kubernetes.io/hostname", "operator": "In", "values": [self.node]}]}]}}}}
        self._quietly("POST", VOLUMES, volume, 409)

    def on_volume(self, kind, volume):
        """Removes the directory of a released volume, then the volume."""
        meta, spec = volume["metadata"], volume["spec"]
        name = meta["name"]
        ours = (meta.get("annotations") or {}).get("pv.kubernetes.io/provisioned-by") == PROVISIONER
        if not ours or not re.fullmatch(r"pvc-[0-9a-f-]{36}", name) or spec["persistentVolumeReclaimPolicy"] != "Delete":
            return
        if kind == "DELETED" or (volume.get("status") or {}).get("phase") in ("Released", "Failed"):
            shutil.rmtree(os.path.join(self.root, name), ignore_errors=True)
            if kind != "DELETED" and not meta.get("deletionTimestamp"):
                self._quietly("DELETE", f"{VOLUMES}/{name}", None, 404)

    def _quietly(self, method, path, body, accepted):
        """Repeats nothing: an error is raised into the watch, which lists anew and so comes back here."""
        try:
            self.api.call(method, path, body)
            print(f"{method} {path} {body['metadata']['name'] if body else ''}", flush=True)
        except ApiError as e:
            if e.status != accepted:
                raise
