"""Configuration of the encoder, the towers and their training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tfrec.config.base import Section
from tfrec.config.few_labels import FewLabelsConfig
from tfrec.config.freeze import Freeze
from tfrec.config.images import ImagesConfig
from tfrec.config.mining import MinedNegativesConfig
from tfrec.config.query_student import QueryStudentConfig


class LoraConfig(Section):
    """Narrow adapters beside the encoder's matrices, trained in their place (LoRA, Hu et al. 2021): less memory, small
    checkpoints. They adapt what encoder.freeze leaves free; exports hold the merged matrices and cost nothing more."""

    rank: int = Field(0, ge=0, le=1024, description="Width of the adapters; 0 trains the encoder's own weights.")
    alpha: float = Field(16.0, gt=0, description="What they add counts alpha / rank.")
    targets: list[Literal["attention/qkv", "attention/output", "ffn/inner", "ffn/output"]] = Field(
        ["attention/qkv", "attention/output", "ffn/inner", "ffn/output"],
        min_length=1,
        description="Matrices of each layer that have one: queries, keys and values together, attention's output, and "
        "both of the feed-forward part.",
    )
    learning_rate: float = Field(5e-4, gt=0, description="Peak rate of the adapters, for training.learning_rate.")

    @property
    def active(self) -> bool:
        """Whether adapters are trained."""
        return self.rank > 0


class EncoderConfig(Section):
    """The pretrained text encoder that both towers share."""

    name: str = Field(
        "minilm+multilingual",
        description="An installed encoder (tfrec encoder list), or a TF-Hub handle: URL, Kaggle handle or folder. Two "
        "joined by + stand side by side: the first trains, the second stays. minilm alone answers in half the time.",
    )
    preprocessor: str | None = Field(None, description="The preprocessor's handle when name is a TF-Hub handle.")
    pooling: Literal["auto", "mean", "cls", "pooled"] = Field(
        "auto",
        description="How token vectors become one text vector; auto is how the encoder was trained, else their mean.",
    )
    query_prompt: str | None = Field(
        None, description="Put before every query; empty takes what the encoder was trained with, '' puts nothing."
    )
    item_prompt: str | None = Field(None, description="Put before every item's text; as query_prompt.")
    freeze: Freeze = Field(
        "embeddings",
        description="none | all | embeddings | top:N (only the top N layers train) | pattern:REGEX (these are frozen).",
    )
    lora: LoraConfig = Field(default_factory=lambda: LoraConfig())
    dropout: float = Field(0.1, ge=0, lt=1, description="Dropout on hidden states while training.")
    precision: Literal["auto", "bf16", "f32"] = Field(
        "auto", description="auto takes bf16 where the CPU multiplies it fast."
    )
    query_tokens: int = Field(32, ge=4, le=512, description="Word pieces of a query that are read.")
    item_tokens: int = Field(64, ge=4, le=512, description="Word pieces of an item's text that are read.")
    query_student: QueryStudentConfig = Field(default_factory=lambda: QueryStudentConfig())


class ModelConfig(Section):
    """The two towers."""

    dimension: int | None = Field(
        None, ge=8, description="Size of the unit vectors; empty keeps the encoder's own size."
    )
    item_ids: bool = Field(
        True, description="Give items with enough interactions a trained id vector beside their text."
    )
    min_interactions: int = Field(5, ge=1, description="Training interactions an item needs for an id vector.")
    dense_features: list[str] = Field(
        default_factory=list, description="Numeric item columns (price) that the item tower reads, standardised."
    )
    spelling: bool = Field(
        True,
        description="Mend misspelt words of queries towards the shop's own words, in the export too. Words that an "
        "item has stay, and so do scripts without spaces; those that only the encoder knows stay for the encoder.",
    )
    history_layers: int = Field(1, ge=0, le=4, description="Residual layers on the pooled history.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout on the pooled history.")
    images: ImagesConfig = Field(default_factory=lambda: ImagesConfig())


class TaskWeights(Section):
    """How much each kind of positive counts."""

    search: float = Field(1.0, ge=0, description="Query to item.")
    recommendation: float = Field(1.0, ge=0, description="History to next item.")
    personalised: float = Field(
        1.0,
        ge=0,
        description="Query and history to what was taken; from a search log that knows its shoppers (data.search_log).",
    )


class TrainingConfig(Section):
    """Fine-tuning of the towers."""

    epochs: float | None = Field(
        None,
        gt=0,
        description="Passes over the training examples; the schedule spans them. Empty = 3 for a pretrained encoder "
        "and searches alone, else 10.",
    )
    max_minutes: float | None = Field(
        12,
        gt=0,
        description="Time budget; the schedule shortens itself so that it is complete by then. Beside max_steps it "
        "does not count: steps alone decide.",
    )
    max_steps: int | None = Field(
        None,
        gt=0,
        description="Most batches, for runs that are to be compared; the schedule spans them, whatever max_minutes "
        "says and however busy the machine is.",
    )
    batch_size: int = Field(128, ge=2, description="Positive pairs per step; each is a negative of the others.")
    gradient_cache: int = Field(
        0,
        ge=0,
        description="Most texts that the encoder reads at a time (GradCache, Gao et al. 2021): large batches in the "
        "memory of small ones, every pair a negative of all others, for a quarter more time. 0 reads a batch at once.",
    )
    accumulate_steps: int = Field(1, ge=1, description="Steps whose gradients are added before an update.")
    learning_rate: float = Field(5e-5, gt=0, description="Peak rate of the encoder.")
    head_learning_rate: float = Field(
        1e-3, gt=0, description="Peak rate of everything else (projections, ids, history)."
    )
    weight_decay: float = Field(0.01, ge=0, description="Decoupled decay; none on biases and LayerNorm.")
    warmup_share: float = Field(
        0.1, ge=0, lt=1, description="Share of the run in which rates rise linearly; then cosine to 0."
    )
    clip_norm: float = Field(1.0, gt=0, description="Global norm that gradients are clipped to.")
    temperature: float = Field(0.05, gt=0, description="Softmax temperature on cosine similarities.")
    learn_temperature: bool = Field(False, description="Train the temperature too.")
    logq: Literal["none", "recommendation", "all"] = Field(
        "recommendation",
        description="Tasks whose in-batch negatives are corrected for how often each item is sampled. The correction "
        "teaches what is popular, too: wanted where the next purchase is guessed, not where words are matched.",
    )
    hard_negatives: int = Field(1, ge=0, description="Judged non-relevant items added per search example.")
    mined_negatives: MinedNegativesConfig = Field(default_factory=lambda: MinedNegativesConfig())
    min_gain: float = Field(
        0.05, ge=0, le=1, description="Judged items with at least this gain are positives, others negatives."
    )
    few_labels: FewLabelsConfig = Field(default_factory=lambda: FewLabelsConfig())
    tasks: TaskWeights = Field(default_factory=lambda: TaskWeights())
    evaluations: int = Field(6, ge=1, description="How often dev is evaluated during a run, evenly spread.")
    patience: int = Field(3, ge=1, description="Evaluations without a gain after which training stops.")
    mixture: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Share of the fine-tuned weights in a mixture with the starting ones (WiSE-FT) that a run ends "
        "with; null = 0.5 where no dev split judges them, else 1. Dev may take others for a gain beyond chance.",
    )
    interpolation: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        default_factory=lambda: [0.5, 0.75],
        description="Further such shares, tried on dev at the end; empty tries none.",
    )
    dev_items: int = Field(
        10000,
        ge=1000,
        description="Larger catalogues are represented by so many sampled items in the evaluations of a run.",
    )
    shuffle_buffer: int = Field(20000, ge=1, description="Examples held in memory to shuffle.")

    @property
    def budget_minutes(self) -> float | None:
        """The time budget that counts; None where steps alone decide."""
        return None if self.max_steps is not None else self.max_minutes
