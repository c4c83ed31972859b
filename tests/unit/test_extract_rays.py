"""A real Ray cluster on this machine, started and stopped here: the same rows as without it, whoever dies on the way."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
import tiny_models
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data import Data, load
from pytest_clip.extract import cluster as asking
from pytest_clip.extract.cores import cores
from pytest_clip.extract.embed import Batches, Local, Work
from pytest_clip.extract.entry import Entry
from pytest_clip.extract.extraction import Extraction
from pytest_clip.extract.rays import Rays
from pytest_clip.models import openclip, spec
from pytest_clip.models.openclip_model import OpenClipModel
from pytest_clip.views.view import Facts, View

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own, of files and sockets it leaves open at the end


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _system_config={"health_check_period_ms": 500})
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.folder(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def model(place: Path) -> OpenClipModel:
    return openclip.load(spec.parse(f"local-dir:{place}"), device="cpu", cache_dir=place)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    root = tmp_path_factory.mktemp("photos")
    for k in range(40):
        (root / f"class{k % 2}").mkdir(exist_ok=True)
        pixels = np.random.default_rng(k).integers(0, 255, (40, 48, 3), np.uint8)
        Image.fromarray(pixels).save(root / f"class{k % 2}" / f"{k:02d}.png")
    return load(str(root))


@pytest.fixture
def rays() -> Iterator[Rays]:
    made = Rays(patience=300.0)
    yield made
    made.close()


def negative(images: Any, facts: Facts) -> Any:
    return 255 - images


def test_the_rows_are_those_of_this_process_clean_and_under_a_view(model: OpenClipModel, data: Data, rays: Rays, tmp_path: Path) -> None:
    heard: list[int] = []

    class Bar:
        def advance(self, n: int) -> None:
            heard.append(n)

        def close(self) -> None: ...

    far = Extraction(cache=tmp_path / "far", executor=rays, progress=lambda label, total: Bar())
    near = Extraction(cache=tmp_path / "near", cores=cores(1))
    for view in (None, View("negative", "negative-v1", negative)):
        np.testing.assert_allclose(
            far.embeddings(model, data, "clean", view=view), near.embeddings(model, data, "clean", view=view), atol=1e-6
        )
    assert sum(heard) == 2 * 40


class Noted:
    """The pictures of files; who unpacks it leaves a line."""

    def __init__(self, files: tuple[Path, ...], diary: Path) -> None:
        self.files, self.diary = files, diary

    def __call__(self, row: int) -> bytes:
        return self.files[row].read_bytes()

    def where(self, row: int) -> str:
        return str(self.files[row])

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        with self.diary.open("a") as diary:
            diary.write(f"{os.getpid()}\n")


def test_an_actor_unpacks_a_set_once_and_not_with_every_span(model: OpenClipModel, data: Data, rays: Rays, tmp_path: Path) -> None:
    images = data.images("clean")
    assert images.files is not None
    for k in (1, 2):  # the second set must not be taken for the first
        diary = tmp_path / f"diary{k}"
        own = replace(images, files=None, read=Noted(images.files[::k], diary), ids=images.ids[::k], labels=images.labels[::k])
        entry = Entry(tmp_path / f"rows{k}", {}, len(own))
        rays.fill(entry, Work(model, own, tmp_path, keep=False))
        actors = diary.read_text().split()
        assert 1 <= len(actors) == len(set(actors)) <= 2 < len(entry.spans)
        near = Entry(tmp_path / f"near{k}", {}, len(own))
        Local(Batches(None, say=print), cores(1)).fill(near, Work(model, own, tmp_path, keep=False))
        np.testing.assert_allclose(entry.rows(), near.rows(), atol=1e-6)


def processes() -> dict[int, bytes]:
    """The command line of every process."""
    found = {}
    for place in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            found[int(place.name)] = (place / "cmdline").read_bytes()
    return found


def slow(images: Any, facts: Facts) -> Any:
    time.sleep(0.5)
    return images


@pytest.mark.parametrize("how", ["actor", pytest.param("process", marks=pytest.mark.slow)])
def test_an_actor_that_dies_costs_only_the_span_it_was_at(model: OpenClipModel, data: Data, rays: Rays, tmp_path: Path, how: str) -> None:
    extraction = Extraction(cache=tmp_path / how, executor=rays)
    stored: list[Path] = []
    killed = threading.Event()

    def kill() -> None:
        while not (shards := list((tmp_path / how / "answers").rglob("rows-*.safetensors"))):
            time.sleep(0.01)
        stored.extend(shards)
        hand = next(each for each in next(iter(rays._crews.values())) if each._actor is not None)  # the other may still be starting
        if how == "actor":
            ray.kill(hand._actor)
        else:
            os.kill(next(pid for pid in processes() if b"ray::_Embedder" in processes()[pid]), signal.SIGKILL)
        killed.set()

    killer = threading.Thread(target=kill)
    killer.start()
    rows = extraction.embeddings(model, data, "clean", view=View("slow", "slow-v1", slow))
    killer.join()
    assert killed.is_set()
    assert stored
    expected = Extraction(cache=tmp_path / "here", cores=cores(1)).embeddings(model, data, "clean")
    np.testing.assert_allclose(rows, expected, atol=1e-6)  # in order, none lost, none doubled


def deadly(images: Any, facts: Facts) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_what_kills_every_actor_is_one_error(model: OpenClipModel, data: Data, tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"4 Ray actors with tiny died over rows 0 to 9 of .*; is there memory enough\?"):
        Extraction(cache=tmp_path, executor=Rays(actors=1, patience=300)).embeddings(
            model, data, "clean", view=View("deadly", "deadly-v1", deadly)
        )


def test_a_picture_that_cannot_be_read_is_named(model: OpenClipModel, rays: Rays, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / "x.png").write_bytes(b"no picture")
    with pytest.raises(ClipError, match=r"[ab]/x.png: not a readable image"):
        Extraction(cache=tmp_path / "cache", executor=rays).embeddings(model, load(str(tmp_path / "set")), "clean")


def test_a_cluster_without_room_is_an_error_and_no_hang(model: OpenClipModel, data: Data, tmp_path: Path) -> None:
    @ray.remote(num_cpus=2)
    class Greedy:
        def there(self) -> bool:
            return True

    greedy = Greedy.remote()
    ray.get(greedy.there.remote())
    try:
        said = r"the Ray cluster has 2 CPUs and none is free for an actor with the model \(waited 1 s\); end what holds them"
        extraction = Extraction(cache=tmp_path, executor=Rays(patience=1.0))
        with pytest.raises(ClipError, match=said):
            extraction.embeddings(model, data, "clean")
        began = time.monotonic()
        with pytest.raises(ClipError, match=said):  # the other gates do not wait as long again
            extraction.embeddings(model, data, "clean")
        assert time.monotonic() - began < 0.9
    finally:
        ray.kill(greedy)


def test_a_model_that_cannot_travel_is_an_error(data: Data, rays: Rays, tmp_path: Path) -> None:
    class Rooted:
        label, fingerprint, device = "rooted", "0" * 16, "cpu"

        def __init__(self) -> None:
            self.lock = threading.Lock()

    with pytest.raises(ClipError, match=r"rooted cannot be sent to Ray actors \(.*lock.*\); give it no open files"):
        Extraction(cache=tmp_path, executor=rays).embeddings(Rooted(), data, "clean")  # type: ignore[arg-type]


FROM_ELSEWHERE = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from pytest_clip.data import load
from pytest_clip.extract.extraction import Extraction
from pytest_clip.extract.rays import Rays
from pytest_clip.models import openclip, spec
address, place, photos, cache = sys.argv[2:]
model = openclip.load(spec.parse(f"local-dir:{place}"), device="cpu", cache_dir=Path(place))
rays = Rays(address, patience=300.0)
np.save(cache + "/rows.npy", Extraction(cache=Path(cache), executor=rays).embeddings(model, load(photos), "clean"))
rays.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["auto", "auto by RAY_ADDRESS", "address"])
def test_a_cluster_is_found_by_its_address_and_by_itself(how: str, model: OpenClipModel, place: Path, data: Data, tmp_path: Path) -> None:
    """From another process, as a run is: by HOST:PORT, by RAY_ADDRESS, and by what Ray knows of clusters of this machine."""
    there = ray.get_runtime_context().gcs_address
    asking.check(there)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)} | ({"RAY_ADDRESS": there} if "RAY" in how else {})
    photos = data.images("clean").files[0].parents[1]  # type: ignore[index]
    args = [str(Path(__file__).parent), there if how == "address" else "auto", str(place), str(photos), str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FROM_ELSEWHERE, *args], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    near = Extraction(cache=tmp_path / "near", cores=cores(1)).embeddings(model, data, "clean")
    np.testing.assert_allclose(np.load(tmp_path / "rows.npy"), near, atol=1e-6)
