"""What to do in each identity provider, in the words of its own interface: steps, pictures, names of fields.

In English the names are those of the English interface, in French those of the French one where there is one. A number
in a circle stands for one of our values: ① entity ID, ② reply address, ③ sign-out address, ④ our metadata.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from sso.pictures import Picture, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True, slots=True)
class Guide:
    """`fields` are the names that the interface gives to our values, by number."""

    paste: tuple[_StrOrPromise, ...]
    picture: Picture
    fields: Mapping[int, _StrOrPromise]
    fetch: tuple[_StrOrPromise, ...]
    fetch_picture: Picture
    identity: tuple[_StrOrPromise, ...]
    # Where its metadata lies.
    example: str = ""
    by_file_only: bool = False


_ENTRA = Guide(
    paste=(
        _(
            "In the Microsoft Entra admin center, open “Enterprise applications”, then “New application”, then "
            "“Create your own application”. Name it “Objectif IA” and keep “Integrate any other application you "
            "don't find in the gallery”."
        ),
        _("In the new application, open “Single sign-on” and choose “SAML”."),
        _(
            "In “Basic SAML Configuration”, choose “Edit”, paste ① and ②, and ③ if you want sign-out, then “Save”. "
            "“Upload metadata file”, with our file ④, fills in the same."
        ),
        _("In “Users and groups”, add the people who take part: yourself first, for the test."),
    ),
    picture=Picture(
        path=("Objectif IA", _("Single sign-on"), _("Basic SAML Configuration")),
        rows=(
            Row(_("Identifier (Entity ID)"), 1),
            Row(_("Reply URL (Assertion Consumer Service URL)"), 2),
            Row(_("Logout Url (Optional)"), 3),
        ),
        button=_("Save"),
    ),
    fields={
        1: _("Identifier (Entity ID)"),
        2: _("Reply URL (Assertion Consumer Service URL)"),
        3: _("Logout Url (Optional)"),
        4: _("Upload metadata file"),
    },
    fetch=(
        _("On the same page, go down to “SAML Certificates”."),
        _(
            "Copy “App Federation Metadata Url” and paste it below: certificates that Entra renews are then seen "
            "here in time."
        ),
    ),
    fetch_picture=Picture(
        path=("Objectif IA", _("Single sign-on"), _("SAML Certificates")),
        rows=(Row(_("App Federation Metadata Url"), shows="https://login.microsoftonline.com/…", take=True),),
    ),
    identity=(
        _(
            "Begin each test here: Entra’s own “Test” button sends an answer that nobody asked for,"
            " and it is not taken."
        ),
        _("Entra sends an identifier that never changes (the object identifier): nothing has to be set for it."),
        _(
            "To send the employee number, open “Attributes & Claims”, “Add new claim”: name employeeNumber, source "
            "attribute user.employeeid."
        ),
    ),
    example="https://login.microsoftonline.com/…/federationmetadata/2007-06/federationmetadata.xml?appid=…",
)

_ADFS = Guide(
    paste=(
        _(
            "In “AD FS Management”, open “Relying Party Trusts” and choose “Add Relying Party Trust…”, then “Claims "
            "aware”."
        ),
        _(
            "Choose “Import data about the relying party published online or on a local network” and paste ④. If "
            "this server cannot reach the Internet, choose “Import data about the relying party from a file” with "
            "our metadata file."
        ),
        _("Name it “Objectif IA”, choose whom you let in (“Permit everyone”, or a group), and finish."),
        _(
            "Choose “Edit Claim Issuance Policy…”, “Add Rule…”, “Send LDAP Attributes as Claims”: E-Mail-Addresses "
            "as “E-Mail Address”, Given-Name as “Given Name”, Surname as “Surname”, Employee-Number as "
            "employeeNumber."
        ),
        _(
            "Add a second rule, “Pass Through or Filter an Incoming Claim”, with “Primary SID”: it tells people "
            "apart and never changes."
        ),
    ),
    picture=Picture(
        path=(_("AD FS Management"), _("Relying Party Trusts"), _("Add Relying Party Trust…")),
        rows=(Row(_("Federation metadata address (host name or URL)"), 4),),
        button=_("Next >"),
    ),
    fields={
        1: _("Relying party trust identifier"),
        2: _("Relying party SAML 2.0 SSO service URL"),
        3: _("SAML Logout"),
        4: _("Federation metadata address (host name or URL)"),
    },
    fetch=(
        _("The metadata of AD FS always lies at the address below, with the name of your own server."),
        _(
            "If that address is not open to the Internet, open it in a browser of your network, save the file, and "
            "give the file."
        ),
    ),
    fetch_picture=Picture(
        path=(_("AD FS Management"), _("Service"), _("Endpoints"), _("Metadata")),
        rows=(Row("Federation Metadata", shows="…/2007-06/FederationMetadata.xml", take=True),),
    ),
    identity=(
        _(
            "Without the rule for the “Primary SID” the test says that nobody is named: the rules are what AD FS "
            "sends, and nothing else."
        ),
    ),
    example="https://adfs.example.fr/FederationMetadata/2007-06/FederationMetadata.xml",
)

_OKTA = Guide(
    paste=(
        _(
            "In the Okta Admin Console, open “Applications”, “Create App Integration”, and choose “SAML 2.0”. Name "
            "it “Objectif IA”."
        ),
        _(
            "In “SAML Settings”, paste ② in “Single sign-on URL” and leave “Use this for Recipient URL and "
            "Destination URL” ticked; paste ① in “Audience URI (SP Entity ID)”."
        ),
        _(
            "In “Name ID format” choose “Persistent”; in “Application username” choose “Custom” and write "
            'user.getInternalProperty("id"): the Okta user name is often an address, and addresses are handed on.'
        ),
        _(
            "In “Attribute Statements”, add email = user.email, firstName = user.firstName, lastName = user.lastName "
            "and employeeNumber = user.employeeNumber."
        ),
        _("In “Assignments”, assign the people who take part: yourself first, for the test."),
    ),
    picture=Picture(
        path=("Applications", "Create App Integration", "SAML Settings"),
        rows=(
            Row("Single sign-on URL", 2),
            Row("Audience URI (SP Entity ID)", 1),
            Row("Name ID format", shows="Persistent"),
        ),
        button="Next",
    ),
    fields={
        1: "Audience URI (SP Entity ID)",
        2: "Single sign-on URL",
        3: "Single Logout URL",
        4: "",
    },
    fetch=(
        _("In the application, open the tab “Sign On”."),
        _("Copy “Metadata URL” and paste it below."),
    ),
    fetch_picture=Picture(
        path=("Objectif IA", "Sign On", "SAML 2.0", "Metadata details"),
        rows=(Row("Metadata URL", shows="https://….okta.com/app/…/sso/saml/metadata", take=True),),
    ),
    identity=(_("The persistent Name ID tells people apart; the address and the names are sent beside it."),),
    example="https://example.okta.com/app/…/sso/saml/metadata",
)

_GOOGLE = Guide(
    paste=(
        _(
            "In the Google Admin console, open “Apps”, “Web and mobile apps”, “Add app”, “Add custom SAML app”. Name "
            "it “Objectif IA”."
        ),
        _("On the next page choose “Download metadata”: keep that file, you give it in the next step here. Continue."),
        _("In “Service provider details”, paste ② in “ACS URL” and ① in “Entity ID”, and tick “Signed response”."),
        _(
            "In “Name ID format” choose “PERSISTENT”, and in “Name ID” an identifier that never changes, such as "
            "“Employee ID”. The e-mail address is refused: addresses are handed on."
        ),
        _(
            "In “Attribute mapping”, send “Primary email” as email, “First name” as firstName, “Last name” as "
            "lastName and “Employee ID” as employeeNumber. Finish."
        ),
        _("In “User access”, turn the application on for the people who take part: yourself first, for the test."),
    ),
    picture=Picture(
        path=(_("Web and mobile apps"), "Objectif IA", _("Service provider details")),
        rows=(
            Row(_("ACS URL"), 2),
            Row(_("Entity ID"), 1),
            Row(_("Name ID format"), shows="PERSISTENT"),
        ),
        button=_("Continue"),
    ),
    fields={1: _("Entity ID"), 2: _("ACS URL"), 3: "", 4: ""},
    fetch=(
        _("Google gives its metadata as a file only: the one that you downloaded while adding the application."),
        _("To find it again: open the application, then “Download metadata”."),
    ),
    fetch_picture=Picture(
        path=(_("Apps"), _("Web and mobile apps"), "Objectif IA"),
        rows=(Row(_("Download metadata"), shows="GoogleIDPMetadata.xml", take=True),),
    ),
    identity=(
        _(
            "If no employee ID is filled in for your people, create a custom attribute with a number that never "
            "changes."
        ),
    ),
    by_file_only=True,
)

_KEYCLOAK = Guide(
    paste=(
        _(
            "In the Keycloak admin console, choose your realm, open “Clients”, then “Import client”, and choose our "
            "metadata file ④. Save."
        ),
        _("In the client’s “Settings”, set “Name ID format” to “persistent” and turn “Force name ID format” on. Save."),
        _(
            "In “Client scopes”, open the dedicated scope, “Add predefined mapper”: “X500 email”, “X500 givenName” "
            "and “X500 surname”."
        ),
        _(
            "For the employee number, “Configure a new mapper”, “User Attribute”, with employeeNumber as “SAML "
            "Attribute Name”."
        ),
    ),
    picture=Picture(
        path=("Clients", "Import client"),
        rows=(
            Row("Resource file", 4),
            Row("Name ID format", shows="persistent"),
            Row("Force name ID format", shows="On"),
        ),
        button="Save",
    ),
    fields={
        1: "Client ID",
        2: "Assertion Consumer Service POST Binding URL",
        3: "Logout Service Redirect Binding URL",
        4: "Resource file",
    },
    fetch=(
        _("In “Realm settings”, go down to “Endpoints” and open “SAML 2.0 Identity Provider Metadata”."),
        _("Copy the address of that page and paste it below."),
    ),
    fetch_picture=Picture(
        path=("Realm settings", "General", "Endpoints"),
        rows=(Row("SAML 2.0 Identity Provider Metadata", shows="/realms/…/protocol/saml/descriptor", take=True),),
    ),
    identity=(_("Without “persistent” Keycloak sends the user name, which may change or be handed on."),),
    example="https://sso.example.fr/realms/example/protocol/saml/descriptor",
)

_SHIBBOLETH = Guide(
    paste=(
        _("In metadata-providers.xml, add a FileBackedHTTPMetadataProvider whose metadataURL is ④."),
        _(
            'In relying-party.xml, add a RelyingPartyByName for ① with p:encryptAssertions="false": we publish no '
            "encryption key, the transport is encrypted, and the response stays signed."
        ),
        _(
            "In attribute-filter.xml, release samlSubjectID or samlPairwiseID, mail, givenName, sn and "
            "employeeNumber to ①."
        ),
        _("Reload the services, or restart the identity provider."),
    ),
    picture=Picture(
        path=("conf", "metadata-providers.xml"),
        rows=(Row("FileBackedHTTPMetadataProvider · metadataURL", 4), Row("RelyingPartyByName · c:relyingPartyIds", 1)),
    ),
    fields={1: "c:relyingPartyIds", 2: "", 3: "", 4: "metadataURL"},
    fetch=(
        _("The metadata of Shibboleth lies at the address below, with the name of your own server."),
        _(
            "Check in a browser that its certificates are the current ones: the file that Shibboleth serves is not "
            "always renewed with the keys."
        ),
    ),
    fetch_picture=Picture(
        path=("metadata", "idp-metadata.xml"),
        rows=(Row("EntityDescriptor", shows="https://idp.example.fr/idp/shibboleth", take=True),),
    ),
    identity=(
        _(
            "The NameID of Shibboleth changes at every sign-in by default: the portal takes subject-id or "
            "pairwise-id instead."
        ),
    ),
    example="https://idp.example.fr/idp/shibboleth",
)

_LEMONLDAP = Guide(
    paste=(
        _(
            "In the manager of LemonLDAP::NG, open “SAML service providers” and choose “Add SAML SP”. Name it "
            "objectif-ia."
        ),
        _("In “Metadata”, load our metadata from the address ④, or from our file."),
        _("In “Exported attributes”, add mail, givenName, sn, uid and employeeNumber, each under its own name."),
        _(
            "In “Options”, “Authentication response”, set “Default NameID format” to “Persistent”. Save the "
            "configuration."
        ),
    ),
    picture=Picture(
        path=(_("SAML service providers"), "objectif-ia", _("Metadata")),
        rows=(
            Row(_("Load from URL"), 4),
            Row(_("Default NameID format"), shows="Persistent"),
        ),
        button=_("Save"),
    ),
    fields={1: "entityID", 2: "AssertionConsumerService", 3: "SingleLogoutService", 4: _("Load from URL")},
    fetch=(
        _("The metadata lies at the address below, with the name of your own authentication portal."),
        _("Copy it and paste it below."),
    ),
    fetch_picture=Picture(
        path=("https://auth.example.fr", "saml", "metadata"),
        rows=(Row("EntityDescriptor", shows="https://auth.example.fr/saml/metadata", take=True),),
    ),
    identity=(
        _("By default LemonLDAP::NG sends the e-mail address as NameID, which is refused: “Persistent” is needed."),
    ),
    example="https://auth.example.fr/saml/metadata",
)

_OTHER = Guide(
    paste=(
        _(
            "In your identity provider, add a SAML 2.0 application (also called service provider or relying party). "
            "If it can read metadata, give it ④: that is all."
        ),
        _(
            "Otherwise paste ① as the entity ID (audience) and ② as the reply address (Assertion Consumer Service, "
            "HTTP-POST)."
        ),
        _(
            "Sign the response or the assertion with SHA-256, and send a persistent NameID or an attribute that "
            "never changes."
        ),
        _("Send mail, givenName, sn and employeeNumber as attributes, and let yourself in for the test."),
    ),
    picture=Picture(
        path=(_("Applications"), _("Add a SAML 2.0 application")),
        rows=(
            Row(_("Service provider metadata"), 4),
            Row(_("Entity ID (Audience)"), 1),
            Row(_("Reply address (ACS URL)"), 2),
            Row(_("NameID format"), shows="persistent"),
        ),
        button=_("Save"),
    ),
    fields={
        1: _("Entity ID (Audience)"),
        2: _("Reply address (ACS URL)"),
        3: _("Sign-out address (SLO URL)"),
        4: _("Service provider metadata"),
    },
    fetch=(
        _("Look for “metadata”, “federation metadata” or “SAML descriptor” in your identity provider."),
        _("An address is better than a file: renewed certificates are then seen here in time."),
    ),
    fetch_picture=Picture(
        path=(_("Applications"), "Objectif IA", _("Metadata")),
        rows=(Row(_("Federation metadata"), shows="https://idp.example.fr/metadata", take=True),),
    ),
    identity=(_("An e-mail address does not identify anybody here: addresses are handed on."),),
    example="https://idp.example.fr/metadata",
)

GUIDES: Final[Mapping[str, Guide]] = {
    "entra": _ENTRA,
    "adfs": _ADFS,
    "okta": _OKTA,
    "google": _GOOGLE,
    "keycloak": _KEYCLOAK,
    "shibboleth": _SHIBBOLETH,
    "lemonldap": _LEMONLDAP,
    "other": _OTHER,
}
