"""Every text operation holds to the contract that users' own ones are tested by."""

from __future__ import annotations

import pytest

from tfrec.augment.operation import Operation
from tfrec.augment.operations import OPERATIONS
from tfrec.testing import OperationContract


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
class TestOperations(OperationContract):
    """One class over all of them."""

    def test_it_has_the_name_it_is_listed_under(self, operation: type[Operation]) -> None:
        assert OPERATIONS[operation.name] is operation
