"""One connection: ourselves, its identity provider, and what every test of a response asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from sso.saml.config import IdentityProvider, ServiceProvider
from sso.saml.errors import SAMLError
from sso.saml.response import VerifiedAssertion, verify_response
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    import datetime as dt


class Verify(Protocol):
    def __call__(self, raw: str, *, request_id: str = ..., now: dt.datetime = ...) -> VerifiedAssertion: ...


class Refusal(Protocol):
    def __call__(self, raw: str, *, request_id: str = ..., now: dt.datetime = ...) -> SAMLError: ...


@pytest.fixture(scope="session")
def sp() -> ServiceProvider:
    ours = kit.keys("portal")
    return ServiceProvider(
        entity_id=kit.SP_ENTITY_ID,
        acs_url=kit.ACS_URL,
        sls_url="https://portal.example/sso/9f1c/sls/",
        private_key_pem=ours.private_pem,
        certificate_pem=ours.certificate_pem,
    )


@pytest.fixture(scope="session")
def idp() -> IdentityProvider:
    return IdentityProvider(
        entity_id=kit.IDP_ENTITY_ID,
        sso_url=kit.SSO_URL,
        certificates=(kit.keys("idp").certificate_pem,),
    )


@pytest.fixture
def verify(sp: ServiceProvider, idp: IdentityProvider) -> Verify:
    def verified(raw: str, *, request_id: str = kit.REQUEST_ID, now: dt.datetime = kit.NOW) -> VerifiedAssertion:
        return verify_response(raw, sp=sp, idp=idp, request_id=request_id, now=now)

    return verified


@pytest.fixture
def refusal(verify: Verify) -> Refusal:
    def refused(raw: str, *, request_id: str = kit.REQUEST_ID, now: dt.datetime = kit.NOW) -> SAMLError:
        with pytest.raises(SAMLError) as caught:
            verify(raw, request_id=request_id, now=now)
        return caught.value

    return refused
