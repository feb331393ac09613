"""Sign-ins: from the identity provider's answer to a session, against the toolkit alone and one session's insert.

Ours is what the two requests do: the posted answer is verified and kept for the browser that asked; then that browser
fetches it, and its person is recognised, linked, enrolled and signed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.utils import timezone
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from bench.measuring import Line, compare
from bench.stage import organisation_with_roster, people
from bench.toolkit import as_it_comes
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from sso.browser import browser_nonce
from sso.connecting import connect_idp
from sso.parties import service_provider
from sso.saml.config import bare_certificate, new_key_pair
from sso.saml.issuing import Issuer, Subject, identity_provider_metadata, issued_response, read_request
from sso.saml.names import BINDING_POST, BINDING_REDIRECT, UNSPECIFIED
from sso.saml.response import posted_response
from sso.services import answer_sign_in, begin_sign_in, complete_login
from sso.session import start_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.stage import Person
    from sso.models import Connection
    from sso.saml.config import ServiceProvider

SIGN_INS = 50
"""How many one run takes: the time shown is of one."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A browser on its way back from the identity provider: its nonce, its request, and the posted answer."""

    nonce: str
    request_id: str
    response: str


@dataclass(frozen=True, slots=True)
class Company:
    connection: Connection
    issuer: Issuer
    sp: ServiceProvider

    def waiting(self, person: Person) -> Waiting:
        """Begin a sign-in and have it answered."""
        nonce = browser_nonce(HttpRequest())
        with organisation_scope(self.connection.organisation_id):
            going = begin_sign_in(connection=self.connection, nonce=nonce)
        asked = read_request(parse_qs(urlsplit(going.url).query)["SAMLRequest"][0], deflated=True)
        said = {"employeeNumber": [person.number], "mail": [person.email]}
        return Waiting(
            nonce,
            asked.request_id,
            issued_response(self.issuer, asked, Subject(person.number, said), now=timezone.now()),
        )


def measure(*, rows: int, runs: int, directory: Path) -> list[Line]:
    """Measure people who come for the first time, then the same ones again."""
    # The floor signs in as many as ours, and both need people who have not come yet.
    head_count = max(rows, 2 * runs * SIGN_INS)
    company = company_with_roster(directory, head_count)
    return [
        _compared("sign-in, first", company, _batches(company, head_count), rows=rows, runs=runs),
        _compared("sign-in, again", company, _batches(company, head_count), rows=rows, runs=runs),
    ]


def _compared(what: str, company: Company, batches: Iterator[list[Waiting]], *, rows: int, runs: int) -> Line:
    toolkit_settings = _toolkit_settings(company)
    return compare(
        what=what,
        rows=rows,
        runs=runs,
        goal=2,
        prepare=lambda: next(batches),
        floor=lambda waiting: _by_the_toolkit(company, toolkit_settings, waiting),
        ours=lambda waiting: _by_the_portal(company, waiting),
        per_run=SIGN_INS,
    )


def company_with_roster(directory: Path, rows: int) -> Company:
    organisation = organisation_with_roster(directory, rows)
    issuer = Issuer("https://idp.bench.example/metadata", *new_key_pair("bench"))
    document = identity_provider_metadata(issuer, sso_url="https://idp.bench.example/sso")
    with organisation_scope(organisation.pk):
        connection = connect_idp(actor=OPERATOR, organisation=organisation, metadata_xml=document, activate=True)
        return Company(connection, issuer, service_provider(connection))


def _batches(company: Company, rows: int) -> Iterator[list[Waiting]]:
    coming = people(rows)
    while batch := list(islice(coming, SIGN_INS)):
        yield [company.waiting(person) for person in batch]


def _by_the_portal(company: Company, waiting: Sequence[Waiting]) -> None:
    connection = company.connection
    for each in waiting:
        with organisation_scope(connection.organisation_id):
            posted = posted_response(each.response)
            ticket = answer_sign_in(connection=connection, saml_response=posted, request_id=posted.in_response_to)
        request = HttpRequest()
        request.user = AnonymousUser()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore()
        with organisation_scope(connection.organisation_id):
            login = complete_login(connection=connection, ticket=ticket.code, nonce=each.nonce)
            start_session(request, connection, login)
        request.session.save()


def _by_the_toolkit(company: Company, toolkit_settings: OneLogin_Saml2_Settings, waiting: Sequence[Waiting]) -> None:
    scheme, _, rest = company.sp.acs_url.partition("://")
    host, _, path = rest.partition("/")
    request = {"https": "on" if scheme == "https" else "off", "http_host": host, "script_name": f"/{path}"}
    with as_it_comes():
        for each in waiting:
            response = OneLogin_Saml2_Response(toolkit_settings, each.response)
            response.is_valid(request, request_id=each.request_id, raise_exceptions=True)
            session = SessionStore()
            session[SESSION_KEY] = response.get_nameid()
            session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
            session[HASH_SESSION_KEY] = response.get_session_index()
            session.save()


def _toolkit_settings(company: Company) -> OneLogin_Saml2_Settings:
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {
                "entityId": company.sp.entity_id,
                "assertionConsumerService": {"url": company.sp.acs_url, "binding": BINDING_POST},
                "NameIDFormat": UNSPECIFIED,
                "x509cert": bare_certificate(company.sp.certificate_pem),
                "privateKey": company.sp.private_key_pem,
            },
            "idp": {
                "entityId": company.issuer.entity_id,
                "singleSignOnService": {"url": "https://idp.bench.example/sso", "binding": BINDING_REDIRECT},
                "x509cert": bare_certificate(company.issuer.certificate_pem),
            },
            "security": {"wantAssertionsSigned": True, "allowSingleLabelDomains": True},
        }
    )
