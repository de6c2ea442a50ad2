"""One YAML file, one typed tree."""

from tfrec.config.augment import AdversarialConfig, AugmentConfig, OperationConfig
from tfrec.config.data import DataConfig
from tfrec.config.delivery import EvaluationConfig, ExportConfig, ServingConfig
from tfrec.config.documentation import documented_yaml, plain_yaml
from tfrec.config.drift import ChecksConfig, DriftConfig
from tfrec.config.files import TableConfig
from tfrec.config.gate import GateConfig
from tfrec.config.lifecycle import KeepConfig, LifecycleConfig
from tfrec.config.loading import as_config, load_config, parse_config
from tfrec.config.modelling import EncoderConfig, LoraConfig, ModelConfig, TrainingConfig
from tfrec.config.preparation import DemoConfig
from tfrec.config.retrieval import RetrievalConfig
from tfrec.config.shop_tables import InteractionsConfig, ItemsConfig, SearchesConfig
from tfrec.config.tree import Config
from tfrec.config.tuning import FinalsConfig, TuneConfig, VaryConfig
from tfrec.config.update import UpdateConfig

__all__ = [
    "AdversarialConfig",
    "AugmentConfig",
    "ChecksConfig",
    "Config",
    "DataConfig",
    "DemoConfig",
    "DriftConfig",
    "EncoderConfig",
    "EvaluationConfig",
    "ExportConfig",
    "FinalsConfig",
    "GateConfig",
    "InteractionsConfig",
    "ItemsConfig",
    "KeepConfig",
    "LifecycleConfig",
    "LoraConfig",
    "ModelConfig",
    "OperationConfig",
    "RetrievalConfig",
    "SearchesConfig",
    "ServingConfig",
    "TableConfig",
    "TrainingConfig",
    "TuneConfig",
    "UpdateConfig",
    "VaryConfig",
    "as_config",
    "documented_yaml",
    "load_config",
    "parse_config",
    "plain_yaml",
]
