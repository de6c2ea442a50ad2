"""Promote and roll back on folders made by hand: what is refused, what servers are told, what the log says."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lifecycle.conftest import judge, make_version
from tfrec.errors import BusyError, ExportError, ServingError, TfrecError
from tfrec.lifecycle.act_log import LOG, Act, Standing, append_act, read_acts, standing
from tfrec.lifecycle.asking import Target
from tfrec.lifecycle.models_config import Servers, is_told
from tfrec.lifecycle.promotion import promote, roll_back
from tfrec.lifecycle.verdict_file import verdict_path
from tfrec.locks import alone_at
from tfrec.serving.server.configuration.model_config import VersionPolicy, read_model_config_file


def told(export: Path) -> tuple[VersionPolicy, dict[str, int]]:
    [model] = read_model_config_file(export / "models.config")
    assert model.name == "tfrec" and model.base_path == str(export)
    return model.policy, dict(model.labels)


def specific(*versions: int) -> VersionPolicy:
    return VersionPolicy("specific", versions=versions)


def test_a_passed_version_is_promoted_and_the_servers_are_told(export: Path) -> None:
    verdict = judge(export, 3)
    done = promote(Servers(export))
    assert done.before == Standing() and done.after == Standing(stable=3) and done.answers is None
    assert told(export) == (specific(3), {"stable": 3})
    [act] = read_acts(export)
    assert (act.act, act.version, act.label, act.forced, act.verdict) == ("promote", 3, "stable", False, verdict.sha256)
    assert "@" in act.who and act.when.startswith("20") and act.when.endswith("+00:00")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [(None, "has not judged version 3"), ("refuse", "is refuse .Search lost 0.3"), ("doubtful", "is doubtful")],
)
def test_without_a_pass_it_is_refused_unless_forced_with_a_reason(export: Path, outcome: str, said: str) -> None:
    if outcome is not None:
        judge(export, 3, outcome)
    with pytest.raises(ExportError, match=said):
        promote(Servers(export), 3)
    assert read_acts(export) == [] and not (export / "models.config").exists()
    promote(Servers(export), 3, force="the gate's queries are of last year")
    [act] = read_acts(export)
    assert act.forced and act.reason == "the gate's queries are of last year" and act.verdict == ""


def test_a_verdict_counts_only_for_what_stands_there_and_for_what_is_stable(export: Path) -> None:
    judge(export, 3)
    (export / "3").rename(export / "old")
    make_version(export, 3, items=31)
    with pytest.raises(ExportError, match="about another version than the one that stands in"):
        promote(Servers(export), 3)
    judge(export, 3)
    path = verdict_path(export, 3)
    path.write_text(path.read_text().replace('"pass"', '"doubtful"'))
    with pytest.raises(ExportError, match="is not a verdict as the gate wrote it"):
        promote(Servers(export), 3)
    judge(export, 2)
    promote(Servers(export), 2)
    judge(export, 3, against=1)
    with pytest.raises(ExportError, match="with version 1, but version 2 is stable now"):
        promote(Servers(export), 3)
    judge(export, 3, against=2)
    assert promote(Servers(export), 3).after == Standing(3, None, (2,))


def test_nothing_is_done_silently(export: Path) -> None:
    promote(Servers(export), 3, force="first")
    before = {path.name: path.read_bytes() for path in export.iterdir() if path.is_file()}
    for attempt, said in [
        (lambda: promote(Servers(export), 3, force="again"), "Version 3 is stable already: nothing was changed"),
        (lambda: promote(Servers(export), 9, force="x"), "There is no version 9 in .*: there are 3, 2, 1"),
        (lambda: promote(Servers(export), 3, "canary", force="x"), "is the stable one already"),
        (lambda: roll_back(Servers(export)), "No version was stable before 3"),
        (lambda: roll_back(Servers(export), to=3), "Version 3 is stable already"),
        (lambda: roll_back(Servers(export), to=7), "There is no version 7"),
        (lambda: roll_back(Servers(export), canary=True), "There is no canary"),
    ]:
        with pytest.raises(ExportError, match=said):
            attempt()
    assert {path.name: path.read_bytes() for path in export.iterdir() if path.is_file()} == before


def test_a_version_that_is_not_what_was_exported_is_refused_both_ways(export: Path) -> None:
    for number in (1, 2):
        promote(Servers(export), number, force="x")
    (export / "1" / "saved_model.pb").write_bytes(b"another")
    (export / "3" / "saved_model.pb").write_bytes(b"another")
    with pytest.raises(ExportError, match="its sha256 differs"):
        roll_back(Servers(export))
    with pytest.raises(ExportError, match="its sha256 differs"):
        promote(Servers(export), 3, force="x")
    assert standing(export).stable == 2 and told(export)[1] == {"stable": 2}


def test_rollbacks_go_further_back_each_time_and_never_to_what_was_left(export: Path) -> None:
    for number in (1, 2, 3):
        promote(Servers(export), number, force="x")
    assert told(export) == (specific(2, 3), {"stable": 3}), "the one before stays ready"
    assert roll_back(Servers(export), reason="wrong prices").after == Standing(2, None, (1,))
    assert told(export) == (specific(1, 2), {"stable": 2})
    assert roll_back(Servers(export)).after == Standing(1)
    assert told(export) == (specific(1), {"stable": 1})
    with pytest.raises(ExportError, match="No version was stable before 1"):
        roll_back(Servers(export))
    assert roll_back(Servers(export), to=3).after.stable == 3
    assert [(act.act, act.version) for act in read_acts(export)] == [
        ("promote", 1), ("promote", 2), ("promote", 3), ("rollback", 2), ("rollback", 1), ("rollback", 3),
    ]  # fmt: skip
    assert read_acts(export)[3].reason == "wrong prices"


def test_a_version_above_the_stable_one_is_never_kept_ready(export: Path) -> None:
    promote(Servers(export), 3, force="x")
    promote(Servers(export), 2, force="x")
    assert standing(export).before == (3,) and told(export)[0] == specific(2), "who names none would get version 3"
    saving = Servers(export, keep_ready=False)
    promote(saving, 3, force="x")
    assert told(export)[0] == specific(3)


def test_a_canary_stands_beside_the_stable_one(export: Path) -> None:
    with pytest.raises(ExportError, match="needs a stable version"):
        promote(Servers(export), 3, "canary", force="x")
    promote(Servers(export), 2, force="x")
    judge(export, 3, "doubtful", against=2)
    assert promote(Servers(export), 3, "canary").after == Standing(2, 3)
    assert told(export) == (specific(2, 3), {"stable": 2, "canary": 3})
    assert roll_back(Servers(export), canary=True).after == Standing(2)
    promote(Servers(export), 3, "canary")
    with pytest.raises(ExportError, match="is doubtful"):
        promote(Servers(export), 3)
    assert promote(Servers(export), 3, force="it did well on trial").after == Standing(3, None, (2,))


def test_another_servers_file_keeps_its_other_models_and_its_own_base_path(export: Path, tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    file.write_text(
        'model_config_list { config { name: "other" base_path: "/models/other" model_platform: "tensorflow" }\n'
        '  config { name: "tfrec" base_path: "/models/tfrec" model_platform: "tensorflow" } }\n'
    )
    servers = Servers(export, file=file, base_path="/elsewhere")
    promote(servers, 2, force="x")
    other, mine = read_model_config_file(file)
    assert (other.name, other.base_path, other.policy) == ("other", "/models/other", VersionPolicy())
    assert (mine.base_path, mine.policy, mine.labels) == ("/models/tfrec", specific(2), {"stable": 2})
    assert read_model_config_file(export / "models.config")[0].base_path == "/elsewhere"
    file.write_text("model_config_list { nonsense: 1 }")
    with pytest.raises(ServingError, match="no field named .nonsense."):
        promote(servers, 3, force="x")
    assert standing(export).stable == 2 and len(read_acts(export)) == 1


def test_another_servers_file_that_is_named_later_is_written(export: Path, tmp_path: Path) -> None:
    promote(Servers(export), 2, force="x")
    servers = Servers(export, file=tmp_path / "models.config")
    assert promote(servers, 2).finished
    assert read_model_config_file(tmp_path / "models.config")[0].labels == {"stable": 2}


def test_an_act_that_was_killed_is_brought_to_its_end(export: Path) -> None:
    servers = Servers(export)
    promote(servers, 1, force="x")
    append_act(export, Act("promote", 2, Standing(2, None, (1,)), "stable"))  # and killed before models.config
    assert not is_told(servers, standing(export)) and told(export)[1] == {"stable": 1}
    assert promote(servers, 2).finished
    assert told(export) == (specific(1, 2), {"stable": 2}) and is_told(servers, standing(export))


def test_a_folder_that_is_misspelt_is_not_made(tmp_path: Path) -> None:
    for act in (promote, roll_back):
        with pytest.raises(ExportError, match="holds no export"):
            act(Servers(tmp_path / "exprot"))
    assert not (tmp_path / "exprot").exists()


def test_a_rollback_that_was_killed_is_brought_to_its_end(export: Path) -> None:
    servers = Servers(export)
    for number in (1, 2, 3):
        promote(servers, number, force="x")
    append_act(export, Act("rollback", 2, Standing(2, None, (1,)), "stable"))  # and killed before models.config
    assert told(export)[1] == {"stable": 3}
    assert roll_back(servers).finished
    assert told(export) == (specific(1, 2), {"stable": 2})
    assert roll_back(servers).after == Standing(1)
    promote(servers, 3, "canary", force="x")
    append_act(export, Act("rollback", 3, Standing(1), "canary"))
    assert roll_back(servers, canary=True).finished and told(export)[1] == {"stable": 1}
    with pytest.raises(ExportError, match="There is no canary to take back: nothing was changed"):
        roll_back(servers, canary=True)


def test_a_file_that_was_changed_by_hand_is_written_anew(export: Path) -> None:
    servers = Servers(export)
    promote(servers, 1, force="x")
    (export / "models.config").write_text("nonsense")
    assert not is_told(servers, standing(export), whole=False)
    assert promote(servers, 1).finished and told(export) == (specific(1), {"stable": 1})
    assert is_told(replace(servers, name="shop"), standing(export), whole=False)
    assert promote(replace(servers, name="shop"), 1).finished, "the name is another one"


def test_a_line_that_a_kill_left_unfinished_was_no_act(export: Path) -> None:
    promote(Servers(export), 1, force="x")
    whole = (export / LOG).read_bytes()
    promote(Servers(export), 2, force="y")
    longer = (export / LOG).read_bytes()
    assert longer.startswith(whole)
    for end in range(len(whole), len(longer), 7):
        (export / LOG).write_bytes(longer[:end])
        assert standing(export) == Standing(1)
    promote(Servers(export), 3, force="z")
    assert [act.version for act in read_acts(export)] == [1, 3]
    (export / LOG).write_bytes(b"{}\n" + whole)
    with pytest.raises(TfrecError, match="line 1, is no act"):
        standing(export)


def test_without_the_server_that_should_follow_all_is_as_it_was(export: Path) -> None:
    promote(Servers(export), 1, force="x")
    before = (export / LOG).read_bytes(), (export / "models.config").read_bytes()
    with pytest.raises(ServingError, match="127.0.0.1:9 does not answer"):
        promote(Servers(export), 2, force="x", target=Target("127.0.0.1:9", seconds=1))
    assert before == ((export / LOG).read_bytes(), (export / "models.config").read_bytes())


def test_one_command_at_a_time(export: Path) -> None:
    refused: list[BaseException] = []

    def other() -> None:
        try:
            promote(Servers(export), 1, force="x")
        except BusyError as error:
            refused.append(error)

    with alone_at(export, "promoting", ".lifecycle.lock"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
    assert refused and read_acts(export) == []


def test_lines_of_the_log_are_plain_json(export: Path) -> None:
    append_act(export, replace(Act("promote", 3, Standing(3, 2, (1,))), reason='größer "und" besser\n'))
    [line] = (export / LOG).read_text("utf-8").splitlines()
    assert json.loads(line)["after"] == {"before": [1], "canary": 2, "stable": 3}
    assert read_acts(export)[0].reason == 'größer "und" besser\n'
