from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.text import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("N° salarié", "n salarie"),
        ("  Éléonore D’Ormesson ", "eleonore d ormesson"),
        ("CŒUR Œdipe", "coeur oedipe"),
        ("Straße", "strasse"),
        ("", ""),
    ],
)
def test_accents_case_and_signs_do_not_count(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
