"""A node gets only the layers that it lacks, and can put the image together from both."""

import hashlib
import json
import tarfile
from pathlib import Path

from dev.localcluster.archives import write_program_image
from dev.localcluster.loading import find_layers, write_partial


def write_archive(path: Path, *, layers: dict[str, bytes]) -> None:
    """As `buildah push docker-archive:` does."""
    folder = path.parent / "content"
    folder.mkdir()
    for digest, content in layers.items():
        (folder / f"{digest}.tar").write_bytes(content)
    (folder / "config.json").write_text('{"os": "linux"}')
    named = [f"{digest}.tar" for digest in layers]
    manifest = [{"Config": "config.json", "RepoTags": ["localhost/x:1"], "Layers": named}]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with tarfile.open(path, "w") as tar:
        for file in sorted(folder.iterdir()):
            tar.add(file, arcname=file.name)


def read_archive(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        files = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        return {name: file.read() for name, file in files.items() if file}


def test_layers_that_are_present_are_named_but_not_sent(tmp_path: Path) -> None:
    base, top = (hashlib.sha256(content).hexdigest() for content in (b"base", b"top"))
    write_archive(tmp_path / "image.tar", layers={base: b"base", top: b"top"})
    assert find_layers(tmp_path / "image.tar") == [base, top]

    write_partial(tmp_path / "image.tar", present={base}, into=tmp_path / "partial.tar")

    files = read_archive(tmp_path / "partial.tar")
    assert files[f"blobs/sha256/{top}"] == b"top"
    assert f"blobs/sha256/{base}" not in files
    (named,) = json.loads(files["index.json"])["manifests"]
    assert named["annotations"] == {"io.containerd.image.name": "localhost/x:1"}
    manifest = json.loads(files[f"blobs/sha256/{named['digest'].removeprefix('sha256:')}"])
    assert [layer["digest"] for layer in manifest["layers"]] == [f"sha256:{base}", f"sha256:{top}"]
    assert [layer["size"] for layer in manifest["layers"]] == [4, 3]
    assert files[f"blobs/sha256/{manifest['config']['digest'][7:]}"] == b'{"os": "linux"}'


def test_every_blob_of_a_partial_archive_is_named_by_its_content(tmp_path: Path) -> None:
    layer = hashlib.sha256(b"only").hexdigest()
    write_archive(tmp_path / "image.tar", layers={layer: b"only"})
    write_partial(tmp_path / "image.tar", present=(), into=tmp_path / "partial.tar")
    blobs = {
        name.rpartition("/")[2]: content
        for name, content in read_archive(tmp_path / "partial.tar").items()
        if name.startswith("blobs/")
    }
    assert len(blobs) == 3
    assert all(hashlib.sha256(content).hexdigest() == name for name, content in blobs.items())


def test_an_archive_that_names_layers_otherwise_is_sent_whole(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    write_program_image(program, name="localhost/program:1", into=tmp_path / "image.tar")
    assert find_layers(tmp_path / "image.tar") == []


def test_an_image_of_a_program_names_its_layer_by_content(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    write_program_image(program, name="localhost/program:1", into=tmp_path / "image.tar")
    files = read_archive(tmp_path / "image.tar")
    config = json.loads(files["config.json"])
    digest = hashlib.sha256(files["layer.tar"]).hexdigest()
    assert config["rootfs"]["diff_ids"] == [f"sha256:{digest}"]
    assert config["config"]["Entrypoint"] == ["/program"]
