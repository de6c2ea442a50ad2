"""Every field of the tree survives being shown and loaded, and being set by `--set`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import annotated_types
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.running import examples
from tfrec.config import Config, documented_yaml, load_config, parse_config, plain_yaml
from tfrec.config.annotations import entry_of, options, section_of
from tfrec.config.yaml_writing import yaml_of
from tfrec.errors import ConfigError

MINIMAL = "data: {items: items.csv}\n"
START = {
    "name": "shop",
    "data": {"items": "items.csv", "searches": "s.csv", "interactions": "i.csv", "demo": {}},
    "augment": {"operations": ["word_swap", "typo_insert"]},
    "tune": {"space": "rates", "vary": {"training.batch_size": [16, 32], "model.dropout": {"low": 0, "high": 0.3}}},
    "synthesis": {"share": {}},
}
ODD = [
    "007", "1:30", "yes", "no", "null", "~", "", "true", "1e3", "0o10", "{title}", "{brand}: {title}", "a # b", "'",
    '"', "[x]", " a", "...", ".inf", "a\nb", "- a", "010", "x=y", "top:2", "pattern:a{2}", "é", "~/x", "!a",
    "*a", "&a", "%",
]  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12) | st.sampled_from(ODD)


def paths(section: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every field that holds a value of its own."""
    found: list[tuple[Any, ...]] = []
    for name in type(section).model_fields:
        value, path = getattr(section, name), (*before, name)
        if isinstance(value, BaseModel):
            found += paths(value, path)
        elif isinstance(value, list) and value and isinstance(value[0], BaseModel):
            found += [inner for place, entry in enumerate(value) for inner in paths(entry, (*path, place))]
        elif isinstance(value, dict) and value and isinstance(next(iter(value.values())), BaseModel):
            found += [inner for key, entry in value.items() for inner in paths(entry, (*path, key))]
        else:
            found.append(path)
    return found


def values_of(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    """Values that a field takes, as far as its own bounds tell."""
    if options(annotation) == [section_of(annotation)]:
        return st.nothing()
    kinds = [st.none()] if type(None) in options(annotation) else []
    for kind in options(annotation):
        if get_origin(kind) is Literal:
            kinds.append(st.sampled_from(get_args(kind)))
        elif kind in (int, float):
            kinds.append(numbers(kind, metadata))
        elif kind is str:
            kinds.append(TEXTS)
        elif kind is bool:
            kinds.append(st.booleans())
        elif kind is Any:
            kinds.append(TEXTS | st.integers() | st.booleans())
        elif (inner := entry_of(kind, list)) is not None:
            most = 0 if section_of(inner) is not None and inner in options(inner) else 3
            kinds.append(st.lists(values_of(inner, inner_bounds(kind)), max_size=most))
        elif (inner := entry_of(kind, dict)) is not None:
            kinds.append(st.dictionaries(TEXTS, values_of(inner, inner_bounds(kind)), max_size=3))
    return st.one_of(kinds)


def inner_bounds(kind: Any) -> list[Any]:
    inner = get_args(kind)[-1]
    return [bound for field in getattr(inner, "__metadata__", ()) for bound in getattr(field, "metadata", [])]


def numbers(kind: type, metadata: list[Any]) -> st.SearchStrategy[Any]:
    low: float = 0
    high: float = 10**6
    for bound in metadata:
        if isinstance(bound, annotated_types.Ge):
            low = bound.ge  # type: ignore[assignment]
        elif isinstance(bound, annotated_types.Gt):
            low = math.nextafter(bound.gt, math.inf) if kind is float else bound.gt + 1  # type: ignore[operator, arg-type]
        elif isinstance(bound, annotated_types.Le):
            high = bound.le  # type: ignore[assignment]
        elif isinstance(bound, annotated_types.Lt):
            high = math.nextafter(bound.lt, 0) if kind is float else bound.lt - 1  # type: ignore[operator, arg-type]
    if kind is float:
        return st.floats(float(low), float(high)) | st.sampled_from([float(low), float(high)])
    return st.integers(int(low), int(high))


def annotation_and_bounds(path: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    section: Any = Config
    for position, name in enumerate(path):
        if not isinstance(name, str) or name not in section.model_fields:
            continue  # a place in a list, or a key
        field = section.model_fields[name]
        if position == len(path) - 1:
            return field.annotation, field.metadata
        inner = field.annotation
        entries = [section_of(entry_of(inner, kind)) for kind in (list, dict)]
        section = next(found for found in (section_of(inner), *entries) if found)
    raise AssertionError(path)


def replaced(path: tuple[Any, ...], value: Any) -> Config:
    tree = parse_config(START).model_dump()
    node: Any = tree
    for name in path[:-1]:
        node = node[name]
    node[path[-1]] = value
    return parse_config(tree)


ALL = paths(parse_config(START))


@st.composite
def a_changed_field(draw: st.DrawFn) -> tuple[tuple[Any, ...], Config]:
    path = draw(st.sampled_from(ALL))
    annotation, bounds = annotation_and_bounds(path)
    value = draw(values_of(annotation, bounds))
    try:
        return path, replaced(path, value)
    except ConfigError:  # not together with the other fields
        assume(False)
        raise


def same(found: Config, wanted: Config) -> bool:
    """Equal but for the folders, which are made absolute on loading."""
    trees = [config.model_dump() for config in (found, wanted)]
    for tree in trees:
        tree["runs_dir"] = tree["data"]["root"] = tree["encoder"]["name"] = tree["encoder"]["preprocessor"] = None
        tree["model"]["images"]["encoder"] = None
    return bool(trees[0] == trees[1])


def assignment(path: tuple[Any, ...], value: Any) -> str:
    names = [f'"{name}"' if isinstance(name, str) and not name.isidentifier() else str(name) for name in path]
    return f"{'.'.join(names)}={yaml_of(value, flow=True).removesuffix('...' + chr(10)).strip()}"


def value_at(config: Config, path: tuple[Any, ...]) -> Any:
    value: Any = config
    for name in path:
        value = getattr(value, name) if isinstance(value, BaseModel) else value[name]
    return value


@given(a_changed_field())
@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
def test_a_field_survives_being_shown_written_and_set(changed: tuple[tuple[Any, ...], Config]) -> None:
    path, config = changed
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        file = Path(folder) / "shop.yaml"
        file.write_text(documented_yaml(config), "utf-8")
        assert same(load_config(file), config)
        file.write_text(plain_yaml(config), "utf-8")
        assert same(load_config(file), config)
        file.write_text(plain_yaml(parse_config(START)), "utf-8")
        assert same(load_config(file, [assignment(path, value_at(config, path))]), config)


def test_the_whole_tree_can_be_set_leaf_by_leaf(tmp_path: Path) -> None:
    """Lists and mappings of sections are made by their places and keys."""
    config = parse_config(START)
    (tmp_path / "shop.yaml").write_text(MINIMAL)
    found = load_config(tmp_path / "shop.yaml", [assignment(path, value_at(config, path)) for path in ALL])
    assert same(found, config)


SECTIONS: dict[str, list[tuple[Any, ...]]] = {}
for one in ALL:
    SECTIONS.setdefault(".".join(map(str, one[:-1])), []).append(one)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_can_be_set_to_what_it_is(section: str, tmp_path: Path) -> None:
    _sets_to_what_it_is(SECTIONS[section], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("path", ALL, ids=[".".join(map(str, path)) for path in ALL])
def test_every_field_can_be_set_to_what_it_is(path: tuple[Any, ...], tmp_path: Path) -> None:
    _sets_to_what_it_is([path], tmp_path)


def _sets_to_what_it_is(paths: list[tuple[Any, ...]], folder: Path) -> None:
    config = parse_config(START)
    (folder / "shop.yaml").write_text(plain_yaml(config))
    assert same(load_config(folder / "shop.yaml", [assignment(path, value_at(config, path)) for path in paths]), config)
