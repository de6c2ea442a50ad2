"""The list of models in protobuf's text format, and what is told of a file that is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.errors import ServingError
from tfrec.serving.server.configuration.model_config import VersionPolicy, read_model_config_file

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


def _config(text: str, tmp_path: Any) -> Any:
    file = tmp_path / "models.config"
    file.write_text(text, "utf-8")
    return read_model_config_file(file)


def test_all_forms_of_the_grammar(tmp_path: Any) -> None:
    shop, other = _config(MODELS, tmp_path)
    assert shop.base_path == "/models/shop" and shop.policy == VersionPolicy("specific", versions=(1, 2, 3))
    assert shop.labels == {"stable": 1, "canary": 2}
    assert other.base_path == "/models/café" and other.policy == VersionPolicy("all")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="model_config{}<>[]:;,'\"\\ \n#017-x") | st.text())
def test_any_text_is_read_or_refused(tmp_path_factory: Any, text: str) -> None:
    try:
        _config(text, tmp_path_factory.getbasetemp())
    except ServingError as error:
        assert "models.config" in str(error) and str(error).endswith(".")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("model_config_list {", 'line 1: Expected "}"'),
        ("\n\nmodels {}", 'line 3: .* has no field named "models"'),
        ("model_config_list { config { name: 3 } }", "Expected string but found"),
        ("model_config_list {} model_config_list {}", "should not have multiple"),
        ("model_config_list { config { name 'a' } }", 'Expected ":"'),
        ("model_config_list { config { name: 'a\n' } }", "String missing ending quote"),
        ("model_config_list { config { name: '\\777' } }", "line 1: .*encode"),
        ("model_config_list { config { name: '\\xff' } }", "line 1: .*decode byte 0xff"),
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
