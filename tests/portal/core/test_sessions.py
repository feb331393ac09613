"""Sessions are written once for each state, and a key that exists is never taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.sessions.models import Session

from portal.core.sessions import SessionStore

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


def test_a_new_session_is_one_statement_and_the_same_again_is_none(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    store = SessionStore()
    store["who"] = "somebody"
    with django_assert_num_queries(1):
        store.cycle_key()
        store.save()

    assert SessionStore(store.session_key)["who"] == "somebody"


def test_a_change_is_written() -> None:
    store = SessionStore()
    store["who"] = "somebody"
    store.save()
    store["who"] = "somebody else"
    store.save()

    assert SessionStore(store.session_key)["who"] == "somebody else"


def test_a_new_key_ends_the_former_one() -> None:
    store = SessionStore()
    store["who"] = "somebody"
    store.save()
    former = store.session_key
    store.cycle_key()

    assert store.session_key != former
    assert list(Session.objects.values_list("session_key", flat=True)) == [store.session_key]
    assert SessionStore(store.session_key)["who"] == "somebody"


def test_a_key_that_exists_is_left_to_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    first = SessionStore()
    first["who"] = "the first"
    first.save()
    keys = iter([first.session_key, "a" * 32])
    monkeypatch.setattr("portal.core.sessions.secrets.token_hex", lambda _size: next(keys))
    second = SessionStore()
    second["who"] = "the second"
    second.save()

    assert second.session_key == "a" * 32
    assert SessionStore(first.session_key)["who"] == "the first"
