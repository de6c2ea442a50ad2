"""Protobuf's text format, against protobuf's own parser where a message class exists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.errors import ServingError
from tfrec.serving.server.configuration.model_config import (
    MODEL_SERVER_CONFIG,
    config_from_proto,
    read_model_config_file,
)
from tfrec.serving.server.configuration.text_format import TextFormatError, parse_text

MODELS = """
# models of the shop
model_config_list: {
  config {
    name: 'shop' base_path: "/models/" "shop"   # neighbours are one text
    model_platform: "tensorflow",
    model_version_policy { specific { versions: [1, 0x2]; versions: 03 } }
    version_labels [ { key: 'stable' value: 1 }, < key: "canary" value: 2 > ]
  }
  config { name: "other" base_path: "/models/caf\\303\\251"
           model_platform: "tensorflow" model_version_policy { all {} } }
}
"""


def test_all_forms_of_the_grammar() -> None:
    shop, other = parse_text(MODELS, MODEL_SERVER_CONFIG)["model_config_list"]["config"]
    assert shop["base_path"] == "/models/shop"
    assert shop["model_version_policy"] == {"specific": {"versions": [1, 2, 3]}}
    assert shop["version_labels"] == [{"key": "stable", "value": 1}, {"key": "canary", "value": 2}]
    assert other["base_path"] == "/models/café" and other["model_version_policy"] == {"all": {}}


def _config(text: str, tmp_path: Any) -> Any:
    file = tmp_path / "models.config"
    file.write_text(text, "utf-8")
    return read_model_config_file(file)


def test_a_file_means_the_same_as_the_message_that_protobuf_reads(tmp_path: Any) -> None:
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    from tfrec.serving.server.protocol.stubs import tf  # noqa: F401  (TensorFlow's set-up before the stubs)

    message = text_format.Parse(MODELS, model_server_config_pb2.ModelServerConfig())
    assert _config(MODELS, tmp_path) == config_from_proto(message)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1), st.integers(-(2**31), 2**31)), max_size=4))
def test_what_protobuf_prints_is_read_back(labels: list[tuple[str, int]]) -> None:
    from google.protobuf import text_format
    from google.protobuf.struct_pb2 import Struct

    message = Struct()  # any message with texts: its printer is the one that config files are made with
    for key, _ in labels:
        if key.encode("utf-8", "ignore").decode() == key:
            message.fields[key].string_value = key
    schema = {"fields": ({"key": "string", "value": {"string_value": "string"}},)}
    read = parse_text(text_format.MessageToString(message), schema).get("fields", [])
    assert {entry["key"]: entry["value"]["string_value"] for entry in read} == {key: key for key in message.fields}


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="model_config{}<>[]:;,'\"\\ \n#017-x") | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_text(text, MODEL_SERVER_CONFIG)
    except TextFormatError as error:
        assert str(error).startswith("line ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("model_config_list {", "line 1.*'}' is expected"),
        ("\n\nmodels {}", "line 3.*no field 'models'"),
        ("model_config_list { config { name: 3 } }", "a quoted text is expected"),
        ("model_config_list {} model_config_list {}", "set twice"),
        ("model_config_list { config { name 'a' } }", "':' is expected"),
        ("model_config_list { config { name: 'a\n' } }", "not understood"),
        ("model_config_list { config { name: '\\777' } }", "above one byte"),
        ("model_config_list { config { name: '\\xff' } }", "not UTF-8"),
        ("", "has no model_config_list"),
        ("model_config_list { config { name: 'a' base_path: '/a' } }", "model_platform"),
        ("model_config_list { config { name: 'a' base_path: '/a' model_platform: 'caffe' } }", "platform caffe"),
        ("model_config_list { config { name: 'a' model_platform: 'tensorflow' } }", "name and a base_path"),
        (
            "model_config_list { config { name: 'a' base_path: '/a' model_platform: 'tensorflow' } "
            "config { name: 'a' base_path: '/b' model_platform: 'tensorflow' } }",
            "Illegal to list model a multiple times",
        ),
    ],
)
def test_a_broken_file_is_one_sentence_that_names_it(tmp_path: Any, text: str, problem: str) -> None:
    with pytest.raises(ServingError, match=problem) as failed:
        _config(text, tmp_path)
    assert "models.config" in str(failed.value)


def test_a_deeply_nested_file_is_refused() -> None:
    schema: dict[str, Any] = {}
    schema["a"] = schema
    with pytest.raises(TextFormatError, match="too deeply"):
        parse_text("a {" * 1000, schema)
