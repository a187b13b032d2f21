"""What is expensive is built once, whole or not at all."""

import threading
from pathlib import Path

import pytest

from dev.localcluster.cache import build_key, cache_root, find_or_build


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXTERNAL_DATA_CACHE", str(tmp_path))
    return tmp_path


def test_the_cache_lies_where_the_variable_says(own_cache: Path) -> None:
    assert cache_root() == own_cache / "localcluster"


def test_the_cache_lies_in_the_users_cache_directory_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXTERNAL_DATA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "external-data-operator" / "localcluster"


def test_a_key_changes_with_where_a_part_ends() -> None:
    assert build_key([b"ab", b"c"]) != build_key([b"a", b"bc"])
    assert build_key([b"ab", b"c"]) == build_key([b"ab", b"c"])


def test_what_is_built_once_is_found_the_second_time() -> None:
    built = []

    def build(folder: Path) -> None:
        built.append(folder)
        (folder / "program").write_text("x")

    first = find_or_build("thing-1", build, waiting="")
    second = find_or_build("thing-1", build, waiting="")
    assert (first / "program").read_text() == "x"
    assert first == second
    assert len(built) == 1


def test_a_build_that_fails_leaves_nothing_that_looks_built(own_cache: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        find_or_build("thing-2", build, waiting="")
    assert [path.name for path in (own_cache / "localcluster").iterdir()] == ["locks"]


def test_two_that_need_the_same_thing_build_it_once() -> None:
    built = []
    both_here = threading.Barrier(2, timeout=10)

    def build(folder: Path) -> None:
        built.append(folder)

    def need() -> None:
        both_here.wait()
        find_or_build("thing-3", build, waiting="")

    threads = [threading.Thread(target=need) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
