"""Every example and every manifest in the docs is one that a real API server takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.localcluster.cluster import LocalCluster
from tests.docs.test_links import PAGES, manifests_in

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.name != "README.md")
SHOWN = [(page, text) for page in PAGES for text in manifests_in(page)]


@pytest.fixture(scope="module")
def api(cluster: LocalCluster) -> Iterator[LocalCluster]:
    """A cluster with our definitions and the examples' namespace."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "crds")
    cluster.kubectl("wait", "--for=condition=Established", "-f", "crds", "--timeout=30s")
    cluster.kubectl("create", "namespace", "analytics")
    yield cluster
    cluster.kubectl("delete", "namespace", "analytics", "--wait=false")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_accepted_as_it_stands(api: LocalCluster, path: Path) -> None:
    said = api.kubectl("apply", "--dry-run=server", "-f", str(path))
    assert "external-data.io" in said


@pytest.mark.parametrize(
    ("page", "text"), SHOWN, ids=[f"{page.stem}-{index}" for index, (page, _) in enumerate(SHOWN)]
)
def test_a_manifest_in_the_docs_is_accepted_as_it_stands(
    api: LocalCluster, page: Path, text: str
) -> None:
    said = api.kubectl("apply", "--dry-run=server", "-f", "-", stdin=text)
    assert "external-data.io" in said, page
