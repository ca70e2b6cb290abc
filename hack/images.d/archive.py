#!/usr/bin/env python3
"""Writes a docker-archive (what `docker save` writes, what `docker load` and `ctr images import` read) from layer tars.

archive.py --name NAME --out FILE.tar --config '{"Entrypoint": [...], ...}' LAYER.tar...
Nothing in it depends on the time: the same layers and settings give the same bytes.
"""
import argparse
import hashlib
import io
import json
import os
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()


def add(archive, name, size, source):
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    archive.addfile(info, source)


def write(out, name, settings, layers):
    digests = [digest(layer) for layer in layers]
    config = json.dumps({
        "architecture": ARCHITECTURES.get(os.uname().machine, os.uname().machine), "os": "linux", "created": "1970-01-01T00:00:00Z",
        "config": settings, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{d}" for d in digests]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "hack/images"} for _ in digests]}, sort_keys=True).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": [f"{d}/layer.tar" for d in digests]}]).encode()
    with tarfile.open(out + ".new", "w", format=tarfile.USTAR_FORMAT) as archive:
        for path, d in zip(layers, digests):
            with open(path, "rb") as layer:
                add(archive, f"{d}/layer.tar", os.path.getsize(path), layer)
        add(archive, config_name, len(config), io.BytesIO(config))
        add(archive, "manifest.json", len(manifest), io.BytesIO(manifest))
    os.replace(out + ".new", out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("layers", nargs="+")
    a = parser.parse_args()
    write(a.out, a.name, json.loads(a.config), a.layers)
