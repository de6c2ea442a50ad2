"""One request to a language model's endpoint."""

from __future__ import annotations

import pytest

from tfrec.synth.llm.endpoint import Endpoint, Refused


@pytest.mark.parametrize("host", ["h:port", "a..b", "a" * 64 + ".org", "☃.-"])
def test_an_address_that_cannot_be_is_refused_for_good(host: str) -> None:
    with pytest.raises(Refused, match="no address") as refused:
        Endpoint(f"http://{host}/v1/chat/completions", 1, "").ask({})
    assert refused.value.everything
