"""The whole configuration, one tree."""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import Any, Literal

from pydantic import Field, field_validator

from tfrec.config.augment import AugmentConfig
from tfrec.config.base import Section
from tfrec.config.data import DataConfig
from tfrec.config.delivery import EvaluationConfig, ExportConfig, ServingConfig
from tfrec.config.drift import ChecksConfig, DriftConfig
from tfrec.config.gate import GateConfig
from tfrec.config.judging import JudgingConfig
from tfrec.config.lifecycle import LifecycleConfig
from tfrec.config.modelling import EncoderConfig, ModelConfig, TrainingConfig
from tfrec.config.ranking import RankingConfig
from tfrec.config.retrieval import RetrievalConfig
from tfrec.config.rules import RulesConfig
from tfrec.config.synthesis import SynthesisConfig
from tfrec.config.tuning import TuneConfig
from tfrec.config.understanding import UnderstandingConfig
from tfrec.config.update import UpdateConfig


class Config(Section):
    """Everything a run depends on. Its hash goes with every artefact."""

    name: str = Field("shop", description="Name of the run; its artefacts are in runs_dir/name.")
    seed: int = Field(17, ge=0, lt=2**31, description="The one seed.")
    runs_dir: str = Field(
        "runs", description="Folder of all runs, relative to this file (--set: to the working directory); ~ is yours."
    )
    tracking: Literal["none", "mlflow"] = Field(
        "none",
        description="Where runs are noted beside their folder and TensorBoard's events. mlflow takes the server and "
        "the experiment of MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME.",
    )
    data: DataConfig
    synthesis: SynthesisConfig = Field(default_factory=lambda: SynthesisConfig())
    augment: AugmentConfig = Field(default_factory=lambda: AugmentConfig())
    encoder: EncoderConfig = Field(default_factory=lambda: EncoderConfig())
    model: ModelConfig = Field(default_factory=lambda: ModelConfig())
    training: TrainingConfig = Field(default_factory=lambda: TrainingConfig())
    retrieval: RetrievalConfig = Field(default_factory=lambda: RetrievalConfig())
    understanding: UnderstandingConfig = Field(default_factory=lambda: UnderstandingConfig())
    rules: RulesConfig = Field(default_factory=lambda: RulesConfig())
    ranking: RankingConfig = Field(default_factory=lambda: RankingConfig())
    judging: JudgingConfig = Field(default_factory=lambda: JudgingConfig())
    tune: TuneConfig = Field(default_factory=lambda: TuneConfig())
    evaluation: EvaluationConfig = Field(default_factory=lambda: EvaluationConfig())
    export: ExportConfig = Field(default_factory=lambda: ExportConfig())
    serving: ServingConfig = Field(default_factory=lambda: ServingConfig())
    checks: ChecksConfig = Field(default_factory=lambda: ChecksConfig())
    drift: DriftConfig = Field(default_factory=lambda: DriftConfig())
    gate: GateConfig = Field(default_factory=lambda: GateConfig())
    update: UpdateConfig = Field(default_factory=lambda: UpdateConfig())
    lifecycle: LifecycleConfig = Field(default_factory=lambda: LifecycleConfig())

    @field_validator("runs_dir")
    @classmethod
    def _home(cls, value: str) -> str:
        return os.path.expanduser(value)

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
            raise ValueError(f"a run's name is made of letters, digits, dot, dash and underscore, not {value!r}")
        return value

    def __repr__(self) -> str:
        return f"Config({self.name!r}, seed {self.seed}, runs in {self.runs_dir!r}; `documented_yaml` shows all)"

    def hash_of(self, *sections: str) -> str:
        """sha256 (hex) of the named sections and the seed: what an artefact made from them depends on.

        A section that is switched off does not count: what it says then changes nothing. Nor does where files lie:
        artefacts carry the fingerprints of what was in them.
        """
        tree = self.model_dump(mode="json")
        del tree["data"]["root"]
        hashed, data = tree["data"].pop("privacy")["hash_ids"], tree["data"]
        if "interactions" in hashed or data["search_log"] is not None or (data["demo"] or {}).get("log"):
            data["hash_ids"] = sorted(set(hashed))  # a table that is not there has no ids
        for bound in ("strict", "max_faulty_share"):  # they refuse data or let it pass, and change nothing of it
            del tree["data"]["cleaning"][bound]
        names = tree["encoder"]["name"].split("+")
        tree["encoder"]["name"] = "+".join(os.path.basename(name) if os.path.isabs(name) else name for name in names)
        if not self.encoder.lora.active:
            del tree["encoder"]["lora"]
        student = tree["encoder"].pop("query_student")  # it is taught after the towers, and changes only what answers
        values: dict[str, Any] = {name: tree[name] for name in sections if getattr(getattr(self, name), "active", True)}
        values["seed"] = self.seed
        if self.encoder.query_student.active and not {"retrieval", "export"}.isdisjoint(sections):
            values["query_student"] = student
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
