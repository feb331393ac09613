"""A partner with its identity provider and its people's browsers: real signed messages through the real pages."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.test import Client
from lxml import etree

from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from sso.connecting import connect_idp
from sso.parties import address
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

    from portal.organisations.models import Organisation
    from sso.models import Connection


@dataclass(frozen=True)
class Company:
    organisation: Organisation
    connection: Connection
    keys: kit.Keys

    @property
    def entity_id(self) -> str:
        return self.connection.idp_entity_id

    def path(self, page: str) -> str:
        return f"/sso/{self.connection.public_id}/{page}"

    def begin(self, browser: Client, **query: str) -> str:
        """Open the sign-in page and return the id of the request that the browser carries away."""
        response = browser.get(self.path("login/"), query)
        assert response.status_code == 302, response.content.decode()
        return request_id_in(response["Location"])

    def message(self, request_id: str, **values: Any) -> kit.Message:
        acs_url = address(self.connection.public_id, "acs")
        ours = kit.Message(
            now=dt.datetime.now(dt.UTC),
            response_id=f"_r{secrets.token_hex(8)}",
            assertion_id=f"_a{secrets.token_hex(8)}",
            issuer=self.entity_id,
            response_issuer=self.entity_id,
            destination=acs_url,
            recipient=acs_url,
            in_response_to=request_id,
            confirmed_request=request_id,
            audiences=((self.connection.entity_id,),),
            attributes=(),
        )
        return replace(ours, **values)

    def answer(self, request_id: str, *, number: str = "", email: str = "", **values: Any) -> str:
        """Return the signed answer to a request, as the identity provider's form posts it."""
        said = {"employeeNumber": number, "mail": email}
        attributes = tuple((name, (value,)) for name, value in said.items() if value)
        message = self.message(request_id, **{"attributes": attributes, **values})
        return kit.encode(kit.signed(message, how=kit.Signature(by=self.keys)))

    def post(self, encoded: str, *, relay_state: str = "") -> Response:
        """Post an answer as another site's page does: without any cookie of ours."""
        fields = {"SAMLResponse": encoded, "RelayState": relay_state}
        return post_form(Client(), self.path("acs/"), fields)

    def sign_out_message(self, **values: Any) -> kit.SignOut:
        """Return what the identity provider sends to our sign-out address."""
        ours = kit.SignOut(
            now=dt.datetime.now(dt.UTC),
            message_id=f"_l{secrets.token_hex(8)}",
            issuer=self.entity_id,
            destination=address(self.connection.public_id, "sls"),
        )
        return replace(ours, **values)

    def sign_out(self, *, relay_state: str | None = None, **values: Any) -> Response:
        """Ask for a sign-out as the hidden frame of the identity provider's page does: without any cookie of ours."""
        query = kit.redirect_query(self.sign_out_message(**values).tree(), by=self.keys, relay_state=relay_state)
        return Client().get(f"{self.path('sls/')}?{query}")

    def sign_in(self, browser: Client, **said: Any) -> Response:
        """Go through the whole exchange and return the answer to its last step."""
        posted = self.post(self.answer(self.begin(browser), **said))
        assert posted.status_code == 303, posted.content.decode()
        return browser.get(posted["Location"])


def make_company(
    organisation: Organisation, *, activate: bool = True, name: str = "", slo_bindings: tuple[str, ...] = ()
) -> Company:
    """Connect an identity provider of the organisation's own; it has a sign-out address by each of `slo_bindings`."""
    name = name or organisation.slug
    keys = kit.keys(f"idp of {name}")
    document = kit.metadata(
        entity_id=f"https://idp.{name}.example/metadata",
        sso_url=f"https://idp.{name}.example/sso",
        certificates=(keys.certificate_pem,),
        slo="".join(
            f'<md:SingleLogoutService Binding="{binding}" Location="https://idp.{name}.example/slo"'
            f' ResponseLocation="https://idp.{name}.example/slo/return"/>'
            for binding in slo_bindings
        ),
    )
    with organisation_scope(organisation.pk):
        connection = connect_idp(
            actor=OPERATOR, organisation=organisation, metadata_xml=document.encode(), activate=activate
        )
    return Company(organisation, connection, keys)


def post_form(browser: Client, path: str, fields: dict[str, str]) -> Response:
    return browser.post(path, urlencode(fields), content_type="application/x-www-form-urlencoded")


def request_id_in(url: str) -> str:
    """Read the request that a redirect carries, as an identity provider does."""
    (encoded,) = parse_qs(urlsplit(url).query)["SAMLRequest"]
    request = etree.fromstring(zlib.decompress(base64.b64decode(encoded), wbits=-15))
    return str(request.get("ID"))
