"""Exports the shop in argv[1] with the configuration on standard input to argv[2]; its test kills it midway."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from conftest import build

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.export.exporter import export_model

trained = build(Config.model_validate_json(sys.stdin.read()), ShopData.open(sys.argv[1]), np.ones(120))
export_model(*trained, base=Path(sys.argv[2]), metrics={}, signature="a")
