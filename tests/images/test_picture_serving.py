"""A shop of pictures from its files to an export, and over the network: both clients, the command and the page."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from tests.images.two_sided import DIMENSION, EACH, KINDS, SIZE, new_picture, write_shop
from tfrec.config import Config
from tfrec.serving.client import AsyncClient, Client, ClientError

pytestmark = pytest.mark.slow  # a whole training and export; test_picture_search.py has what pictures add to it
RED_CIRCLE = new_picture(("red", "circle"))


@pytest.fixture(scope="module")
def of_shapes(two_sided: Path, tmp_path_factory: pytest.TempPathFactory, make_config: Callable[..., Config]) -> Any:
    """A shop of such shapes, after a training of two steps."""
    import tfrec

    shop = write_shop(tmp_path_factory.mktemp("shapes"))
    images = {"encoder": str(two_sided), "size": SIZE}
    tree = make_config(shop, "shapes", images, max_steps=2, batch_size=8).model_dump(mode="json")
    tree["export"]["pictures"] = {"max_bytes": 20_000, "max_pixels": 10_000}
    tree |= {"rules": {"file": "rules.yaml"}, "retrieval": {"filters": ["color"], "scorers": ["dense"]}}
    return tfrec.train(Config.model_validate(tree))


@pytest.fixture(scope="module")
def exported_shapes(of_shapes: Any) -> Any:
    """Its export, opened."""
    from tfrec.export.loaded import LoadedModel
    from tfrec.pipeline.api import export

    return LoadedModel.open(export(of_shapes))


@pytest.fixture(scope="module")
def server(exported_shapes: Any) -> Iterator[Any]:
    from tfrec.serving.server.server import ModelServer

    with ModelServer(exported_shapes.folder.parent, "shop", port=0) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Any) -> Iterator[Client]:
    with Client(server.address, "shop", timeout=60) as client:
        yield client


@pytest.fixture
def page(client: Client, exported_shapes: Any) -> Iterator[Any]:
    from tfrec.serving.demo.catalogue import Catalogue
    from tfrec.serving.demo.server import DemoServer
    from tfrec.serving.demo.shop import DemoShop

    with DemoServer(DemoShop(client, Catalogue()), port=0) as running:
        yield running


CALLS: list[Callable[[Any], Any]] = [
    lambda shop: shop.search_image(RED_CIRCLE, 4),
    lambda shop: shop.search_image(
        [RED_CIRCLE, new_picture(("blue", "cross"))], 3, words=["blue", ""], words_share=0.4
    ),
    lambda shop: shop.search_image(RED_CIRCLE, 30, filters=["color=green"], diversity=0.3),
]


def test_the_export_answers_as_the_training_process(of_shapes: Any, exported_shapes: Any) -> None:
    for call in [*CALLS, lambda shop: shop.search_image(RED_CIRCLE, 50, words="first", words_share=0)]:
        here, there = call(of_shapes.answering), call(exported_shapes)
        np.testing.assert_array_equal(here.item_ids, there.item_ids)
        np.testing.assert_allclose(here.scores, there.scores, atol=1e-4)
    pinned = [item for item, _ in there.hits(0)]
    assert pinned[0] == "green-cross-1" and "bare-0" not in pinned, "a pin moves what has a picture"
    assert exported_shapes.search(["toy 19"], 50).item_ids.size == EACH * len(KINDS) + 2, "words find all items"
    told = exported_shapes.manifest["retrieval"]["pictures"]
    assert (told["items"], told["size"], told["dimension"]) == (EACH * len(KINDS), SIZE, DIMENSION)


def test_pictures_that_the_version_before_has_are_not_encoded_again(of_shapes: Any, exported_shapes: Any) -> None:
    from tfrec.export.picture_vectors import item_picture_vectors, picture_digests

    encoder, images = of_shapes.model.image_part.two_sided, of_shapes.model.images
    digests = picture_digests(encoder, of_shapes.shop.images)
    unreadable: Any = None
    known = item_picture_vectors(encoder, unreadable, digests, exported_shapes.folder)
    anew = item_picture_vectors(encoder, images, digests, None)
    np.testing.assert_allclose(known, anew, atol=1e-5)
    assert known[:-2].any(axis=1).all() and not known[-2:].any()
    with pytest.raises(AttributeError):  # a changed picture is read
        item_picture_vectors(encoder, unreadable, ["0" * 64, *digests[1:]], exported_shapes.folder)


def test_both_clients_answer_as_the_export(server: Any, client: Client, exported_shapes: Any) -> None:
    async def ask() -> list[Any]:
        async with AsyncClient(server.address, "shop", timeout=60) as shop:
            return [await call(shop) for call in CALLS]

    for call, awaited in zip(CALLS, asyncio.run(ask()), strict=True):
        found, told = call(client), call(exported_shapes)
        assert found == awaited
        for row, hits in enumerate(found):
            assert [hit.item_id for hit in hits] == [item for item, _ in told.hits(row)]
            assert [hit.score for hit in hits] == pytest.approx([score for _, score in told.hits(row)], abs=1e-4)


def test_a_bad_file_is_refused_and_no_other_request_with_it(client: Client) -> None:
    for files, sentence in (
        (RED_CIRCLE[:200], "an image is a PNG file that is cut off"),
        ([RED_CIRCLE, b"words"], "an image is neither a JPEG nor a PNG file"),
        (bytes(30_000), "an image has more than 20,000 bytes"),
    ):
        with pytest.raises(ClientError, match=sentence) as told:
            client.search_image(files, 3)
        assert told.value.code == "INVALID_ARGUMENT" and "\n" not in told.value.message
    for arguments, options in (
        (("photo.png",), {}), ((["photo.png"],), {}), ((RED_CIRCLE,), {"words_share": 2}),
        (([RED_CIRCLE],), {"words": ["a", "b"]}),
    ):  # fmt: skip
        with pytest.raises(ClientError) as told:
            client.search_image(*arguments, **options)
        assert told.value.code == "INVALID_ARGUMENT"


def test_the_command_takes_a_file(server: Any, tmp_path: Path) -> None:
    from tfrec.cli.query import query

    app, file = typer.Typer(), tmp_path / "photo.png"
    app.command()(query)
    file.write_bytes(RED_CIRCLE)

    def run(*arguments: str) -> Any:
        place = ["--target", server.address, "--model-name", "shop", "--timeout", "60", "-k", "2"]
        return CliRunner().invoke(app, [*arguments, *place])

    assert "red-circle" in run("--image", str(file)).output
    assert "blue-circle" in run("blue", "--image", str(file), "--words-share", "0.5").output
    for arguments, sentence in (
        (["--image", str(tmp_path / "none.png")], "cannot be read (No such file"),
        (["--image", str(file), "--history", "a"], "leave the others out"), ([""], "or --image FILE"),
    ):  # fmt: skip
        told = run(*arguments)
        assert told.exit_code != 0 and sentence in " ".join(told.output.split())


def test_the_page_takes_a_dropped_picture(page: Any) -> None:
    def post(path: str, body: bytes) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(urllib.request.Request(page.url + path, body), timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    status, told = post("api/image?q=blue&k=3&filter=color%3Dblue", RED_CIRCLE)
    assert status == 200 and told["hits"][0]["id"].startswith("blue-circle") and len(told["hits"]) == 3
    assert (
        post("api/image", RED_CIRCLE[:200])[0] == 400 and "cut off" in post("api/image", RED_CIRCLE[:200])[1]["error"]
    )
    assert post("api/image", b"")[0] == 400 and post("api/search", RED_CIRCLE)[0] == 405
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run the page's script with")
    root = Path(__file__).parents[2]
    script, html = root / "tests/serving/demo/small_document.js", root / "serving/demo/page.html"
    encoded = base64.b64encode(RED_CIRCLE).decode()
    steps = [["drop", "photo.png", encoded], ["type", "blue"], ["drop", "notes.txt", encoded], ["click", "picture-off"]]
    done = subprocess.run(
        [node, script, html, page.url], input=json.dumps(steps), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0 and done.stdout, done.stderr
    start, dropped, typed, text, without = json.loads(done.stdout)
    assert start["picture"] == "" and start["found"].startswith("What sells")
    assert dropped["hits"][0].startswith("red-circle") and dropped["picture"] == "data:image/png"
    assert typed["hits"][0].startswith("blue-circle") and typed["address"] == "/?q=blue"
    assert text["trouble"] == "Only JPEG and PNG pictures can be searched." and text["hits"] == typed["hits"]
    assert without["picture"] == "" and without["trouble"] == "" and without["found"].startswith("20 items")
