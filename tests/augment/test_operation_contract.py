"""Every text operation holds to the contract that users' own ones are tested by."""

from __future__ import annotations

import pytest

from tfrec.augment.operation import Operation
from tfrec.augment.operations import OPERATIONS
from tfrec.testing import OperationContract

# one of the five kinds of typo, and all of them together, stand for the others in `make test`
LIKE_ANOTHER = {"typo_delete", "typo_double", "typo_substitute", "typo_transpose"}


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(kind, id=name, marks=[pytest.mark.slow] if name in LIKE_ANOTHER else [])
        for name, kind in OPERATIONS.items()
    ],
)
class TestOperations(OperationContract):
    """One class over all of them."""

    def test_it_has_the_name_it_is_listed_under(self, operation: type[Operation]) -> None:
        assert OPERATIONS[operation.name] is operation
