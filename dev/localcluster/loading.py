"""Gives a node images without sending what it has already.

Layers are named by their content, so that an image built anew shares all but its top layer with the
one before. The archive is rewritten with only the layers that the node lacks.
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

_LAYER = re.compile(r"([0-9a-f]{64})\.tar")
"""How builders name a layer in an archive: by the hash of its content."""


def find_layers(archive: Path) -> list[str]:
    """The digests of the image's layers, or nothing where the archive names them otherwise."""
    with tarfile.open(archive) as tar:
        (image,) = _read_json(tar, "manifest.json")
    named = [_LAYER.fullmatch(layer) for layer in image["Layers"]]
    return [match[1] for match in named if match] if all(named) else []


def write_partial(archive: Path, *, present: Collection[str], into: Path) -> None:
    """The archive's image as an OCI archive, without the layers that are present."""
    with tarfile.open(archive) as source, tarfile.open(into, "w") as target:
        (image,) = _read_json(source, "manifest.json")
        layers = []
        for name in image["Layers"]:
            member, digest = source.getmember(name), name.removesuffix(".tar")
            layers.append(_descriptor("layer.v1.tar", digest, member.size))
            if digest not in present:
                content = source.extractfile(member)
                target.addfile(member.replace(name=_blob(digest)), content)
        config = _add(target, "config.v1+json", _read(source, image["Config"]))
        listed = {"schemaVersion": 2, "config": config, "layers": layers}
        manifest = _add(target, "manifest.v1+json", json.dumps(listed).encode())
        named = {**manifest, "annotations": {"io.containerd.image.name": image["RepoTags"][0]}}
        index = {"schemaVersion": 2, "manifests": [named]}
        _add_file(target, "index.json", json.dumps(index).encode())
        _add_file(target, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


def _add(target: tarfile.TarFile, kind: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    _add_file(target, _blob(digest), content)
    return _descriptor(kind, digest, len(content))


def _add_file(target: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    target.addfile(member, io.BytesIO(content))


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {
        "mediaType": f"application/vnd.oci.image.{kind}",
        "digest": f"sha256:{digest}",
        "size": size,
    }


def _read(source: tarfile.TarFile, name: str) -> bytes:
    file = source.extractfile(name)
    if file is None:
        raise tarfile.ReadError(f"{name} is no file")
    return file.read()


def _read_json(source: tarfile.TarFile, name: str) -> Any:
    return json.loads(_read(source, name))
