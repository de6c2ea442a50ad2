"""`tfrec augment synonyms build | show` and `tfrec augment preview`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config
from tfrec.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfrec.augment.preview import Variant
    from tfrec.augment.synonyms.table import Pair
    from tfrec.config import Config
    from tfrec.data.shop import ShopData

_MIDDLE = 0.5  # of a run: what a policy does then

app = typer.Typer(help="Synonym tables, and a look at what augmentation does.", no_args_is_help=True)
synonyms = typer.Typer(help="The shop's table of synonyms.", no_args_is_help=True)
app.add_typer(synonyms, name="synonyms")


@synonyms.command("build")
@command_errors
def build_command(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    embeddings: Annotated[bool, typer.Option(help="Also mine neighbours in the encoder's embeddings.")] = True,
    rows: Annotated[int, typer.Option(min=0, help="Show so many of the pairs.")] = 20,
) -> None:
    """Mine synonyms from the shop's own queries and texts, and merge the shop's list (augment.synonyms)."""
    from tfrec.augment.synonyms.build import synonyms_folder
    from tfrec.data.prepare import prepare
    from tfrec.pipeline.run_folder import RunFolder
    from tfrec.training.augmentation import mine_synonyms

    parsed = read_config(config, overrides)
    with RunFolder(parsed).alone:
        shop = prepare(parsed)
        table = mine_synonyms(parsed, shop, embeddings)
    _print_pairs(table.pairs, rows)
    refused = ", ".join(f"{count:,} {reason}" for reason, count in sorted(table.refused.items())) or "none"
    console.print(f"{synonyms_folder(shop) / 'synonyms.csv'}: {len(table.pairs):,} pairs; refused: {refused}.")
    for pair in table.doubtful[:5]:
        console.print(f"Your own list has {pair.phrase} = {pair.synonym}, which looks like two things; it was kept.")


@synonyms.command("show")
@command_errors
def show_command(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    rows: Annotated[int, typer.Option(min=0, help="Show so many of the pairs.")] = 50,
) -> None:
    """Show the table as training would use it."""
    from tfrec.augment.synonyms.build import load_synonyms
    from tfrec.pipeline.reading import data_to_read

    parsed = read_config(config, overrides)
    pairs = load_synonyms(parsed, data_to_read(parsed))
    if not pairs:
        console.print("There are no synonyms: run `tfrec augment synonyms build`, or set augment.synonyms.")
        return
    _print_pairs(pairs, rows)


@app.command("preview")
@command_errors
def preview_command(
    texts: Annotated[Optional[list[str]], typer.Argument(help="Texts to change.", metavar="TEXT")] = None,  # noqa: UP045
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    sample: Annotated[int, typer.Option(min=0, help="Take so many of the shop's own queries and titles.")] = 0,
    items: Annotated[int, typer.Option(min=0, help="Take so many whole items, for operations on their columns.")] = 0,
    operation: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Show this operation; may be repeated. Default: the configured policy, or all operations."),
    ] = None,
    strength: Annotated[float, typer.Option(min=0.0, max=1.0, help="Strength of the operations named or all.")] = 0.3,
    variants: Annotated[int, typer.Option(min=1, help="Variants of a text by an operation.")] = 1,
    similarity: Annotated[bool, typer.Option("--similarity", help="Also show the encoder's cosine.")] = False,
) -> None:
    """Show texts beside their variants, with the operation's name."""
    from tfrec.pipeline.reading import data_to_read

    if not texts and not sample and not items:
        raise ConfigError("Say what to preview: one or more texts, --sample N, or --items N.")
    parsed = read_config(config, overrides)
    shop = data_to_read(parsed)
    chosen = [*(texts or []), *_sampled(shop, sample, parsed.seed)]
    found = _variants(parsed, shop, chosen, operation or [], strength, variants) if chosen else []
    found += _item_variants(parsed, shop, items, operation or [], strength, variants) if items else []
    _print_variants(found, _similarities(parsed, found) if similarity else None)


def _sampled(shop: ShopData, count: int, seed: int) -> list[str]:
    """Training queries and titles of the shop, half and half where it has both."""
    import numpy as np

    rng = np.random.default_rng(seed)
    queries, titles = sorted(shop.judgments("train")), shop.items["title"].to_list()
    wanted = min(len(queries), count // 2) if titles else count
    picked = [queries[place] for place in rng.permutation(len(queries))[:wanted]]
    return picked + [titles[place] for place in rng.permutation(len(titles))[: count - wanted]]


def _variants(
    config: Config, shop: ShopData, texts: list[str], names: list[str], strength: float, count: int
) -> list[Variant]:
    from tfrec.augment.operations import OPERATIONS
    from tfrec.augment.policy import known
    from tfrec.augment.preview import operation_variants, variants
    from tfrec.augment.resources import shop_resources

    if names or config.augment.policy == "none":
        listed = [(name, strength) for name in names or sorted(OPERATIONS)]
    else:
        from tfrec.training.augmentation import shop_augmentation

        encoder = _encoder(config)
        augmentation = shop_augmentation(config, shop, encoder)
        changes = [(f"policy {config.augment.policy}", lambda batch, step: augmentation.queries(batch, step, _MIDDLE))]
        return variants(texts, changes, count)
    for name, _ in listed:
        known(name, OPERATIONS)
    neighbours = None
    if any(name == "word_neighbours" for name, _ in listed):
        from tfrec.encoder.word_neighbours import word_neighbours

        neighbours = word_neighbours(_encoder(config).leading)
    return operation_variants(texts, listed, shop_resources(config, shop, neighbours), config.seed, count)


def _item_variants(
    config: Config, shop: ShopData, count: int, names: list[str], strength: float, variants: int
) -> list[Variant]:
    import numpy as np

    from tfrec.augment.field_operations import FIELD_OPERATIONS
    from tfrec.augment.policy import known
    from tfrec.augment.preview import item_variants
    from tfrec.config.augment import AugmentConfig
    from tfrec.training.augmentation import shop_augmentation

    rows = np.random.default_rng(config.seed).permutation(shop.size)[:count].tolist()
    encoder = _encoder(config)
    if not names and config.augment.policy != "none":
        changes = [(f"policy {config.augment.policy}", shop_augmentation(config, shop, encoder))]
        return item_variants(shop, rows, changes, variants, _MIDDLE)
    changes = []
    for name in names or sorted(FIELD_OPERATIONS):
        known(name, FIELD_OPERATIONS)
        entry = {"name": name, "field": "item", "probability": 1.0, "strength": strength}
        alone = config.model_copy(update={"augment": AugmentConfig.model_validate({"operations": [entry]})})
        changes.append((name, shop_augmentation(alone, shop, encoder)))
    return item_variants(shop, rows, changes, variants, _MIDDLE)


def _encoder(config: Config):  # type: ignore[no-untyped-def]
    from tfrec.encoder.loading import load_encoder

    return load_encoder(config.encoder, config.seed)


def _similarities(config: Config, found: Sequence[Variant]) -> list[float]:
    from tfrec.encoder.similarity import text_similarity
    from tfrec.tensorflow_setup import tf

    cosine = text_similarity(_encoder(config), config.encoder.item_tokens)
    originals, changed = ([getattr(one, name) for one in found] for name in ("original", "variant"))
    return [float(value) for value in cosine(tf.constant(originals), tf.constant(changed)).numpy()]


def _print_variants(found: Sequence[Variant], similarities: list[float] | None) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("original", "operation", "variant", *(["similarity"] if similarities is not None else []))
    before = None
    for number, one in enumerate(found):
        cells = [Text("" if one.original == before else one.original), Text(one.operation)]
        cells.append(Text(one.variant) if one.variant != one.original else Text("(unchanged)", style="dim"))
        if similarities is not None:
            cells.append(Text(f"{similarities[number]:.2f}"))
        table.add_row(*cells)
        before = one.original
    console.print(table)


def _print_pairs(pairs: Sequence[Pair], rows: int) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("phrase", "synonym", "score", "source", "support")
    for pair in pairs[:rows]:
        table.add_row(Text(pair.phrase), Text(pair.synonym), f"{pair.score:.2f}", pair.source, str(pair.support))
    console.print(table)
