"""python3-saml as it comes, with its schema parsed once: the floor of a sign-in.

`sso.saml.toolkit` replaces three functions of the toolkit for the whole process. This module must be imported before
it, keeps the two that are not about the schema, and puts them back while the floor is measured.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from onelogin.saml2.utils import OneLogin_Saml2_Utils

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_verify = OneLogin_Saml2_Utils.validate_node_sign
_now = OneLogin_Saml2_Utils.now


@contextmanager
def as_it_comes() -> Iterator[None]:
    ours = OneLogin_Saml2_Utils.validate_node_sign, OneLogin_Saml2_Utils.now
    _replace(_verify, _now)
    try:
        yield
    finally:
        _replace(*ours)


def _replace(verify: Callable[..., object], now: Callable[..., object]) -> None:
    OneLogin_Saml2_Utils.validate_node_sign = staticmethod(verify)
    OneLogin_Saml2_Utils.now = staticmethod(now)
