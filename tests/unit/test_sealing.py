"""core.sealing: what is encrypted with a key from SECRET_KEY."""

from typing import Any

import pytest

from core.sealing import Unreadable, seal, unseal

OLD, NEW = "an older key for tests only, as long", "a newer key for tests only, as long"


def test_what_is_sealed_comes_back_and_shows_nothing() -> None:
    sealed = seal("JBSWY3DPEHPK3PXP", purpose="tests")
    assert unseal(sealed, purpose="tests") == "JBSWY3DPEHPK3PXP"
    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert sealed != seal("JBSWY3DPEHPK3PXP", purpose="tests")
    assert len(sealed) >= 100


def test_another_purpose_cannot_read_it() -> None:
    with pytest.raises(Unreadable):
        unseal(seal("x", purpose="tests"), purpose="others")


@pytest.mark.parametrize(
    "sealed", ["", "x", "JBSWY3DPEHPK3PXP", "é", pytest.param(seal("x", purpose="tests")[:-4], id="cut off")]
)
def test_what_was_never_sealed_is_unreadable(sealed: str) -> None:
    with pytest.raises(Unreadable):
        unseal(sealed, purpose="tests")


def test_a_key_that_was_replaced_reads_and_no_longer_seals(settings: Any) -> None:
    settings.SECRET_KEY = OLD
    before = seal("x", purpose="tests")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert unseal(before, purpose="tests") == "x"
    after = seal("x", purpose="tests")
    settings.SECRET_KEY_FALLBACKS = []
    assert unseal(after, purpose="tests") == "x"
    with pytest.raises(Unreadable):
        unseal(before, purpose="tests")
