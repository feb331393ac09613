"""What to click in each identity provider, by what is to be repaired.

The words of their interfaces stay in English, as their administrators read them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Repair(StrEnum):
    """What is to be looked at in the identity provider."""

    METADATA = "metadata"
    CERTIFICATE = "certificate"
    SIGNING = "signing"
    ALGORITHM = "algorithm"
    AUDIENCE = "audience"
    REPLY = "reply"
    CLOCK = "clock"
    TILE = "tile"
    IDENTIFIER = "identifier"
    ATTRIBUTE = "attribute"
    ASSIGNMENT = "assignment"
    AUTHENTICATION = "authentication"
    ENCRYPTION = "encryption"


CLICKS: dict[Repair, dict[str, _StrPromise]] = {
    Repair.METADATA: {
        "entra": lazy(
            "“Enterprise applications” › this application › “Single sign-on” › “SAML Certificates”: copy the “App "
            "Federation Metadata Url” and give it to the portal. Each application and each tenant has its own."
        ),
        "adfs": lazy(
            "Give the portal the address https://<your AD FS>/FederationMetadata/2007-06/FederationMetadata.xml of the "
            "farm that answers: a test farm and the real one have different names (“Federation Service Properties” › "
            "“Federation Service identifier”)."
        ),
        "okta": lazy(
            "“Applications” › this application › “Sign On” › “SAML Signing Certificates”: open “View IdP metadata” of "
            "this application and give its address. Each application, and each of preview and production, has its own "
            "issuer."
        ),
        "google": lazy(
            "“Apps” › “Web and mobile apps” › this application › “Download metadata”: give that file. Google has no "
            "address for it."
        ),
        "keycloak": lazy(
            "“Realm settings” › “Endpoints” › “SAML 2.0 Identity Provider Metadata”: give this address, of the realm "
            "in which your people are. Another realm or another host name is another issuer."
        ),
        "shibboleth": lazy(
            "Give the portal the metadata of this IdP (https://<your IdP>/idp/shibboleth), and compare “idp.entityID” "
            "in conf/idp.properties with what is expected."
        ),
        "lemonldap": lazy(
            "“SAML2 Service” › “Entity Identifier”: compare it with what is expected, and give the portal "
            "https://<your portal>/saml/metadata again."
        ),
        "other": lazy(
            "Download the SAML metadata of the identity provider that really answers, and give it to the portal: its "
            "entityID must be the issuer received."
        ),
    },
    Repair.CERTIFICATE: {
        "entra": lazy(
            "“Enterprise applications” › this application › “Single sign-on” › “SAML Certificates”: compare the "
            "thumbprint of the “Active” certificate, then give the “App Federation Metadata Url” or the “Federation "
            "Metadata XML” again."
        ),
        "adfs": lazy(
            "“Service” › “Certificates” › “Token-signing”: AD FS renews it by itself each year. Give "
            "FederationMetadata.xml again; Get-AdfsCertificate -CertificateType Token-Signing shows the thumbprints."
        ),
        "okta": lazy(
            "“Applications” › this application › “Sign On” › “SAML Signing Certificates”: the one whose status is "
            "“Active” signs. Open its “View IdP metadata” and give it again."
        ),
        "google": lazy(
            "“Apps” › “Web and mobile apps” › this application › “Service provider details” › “Certificate”: see which "
            "certificate is chosen, then “Download metadata” and give that file."
        ),
        "keycloak": lazy(
            "“Realm settings” › “Keys” › “Active keys”: the RS256 key with the highest priority signs. Give the "
            "descriptor of the realm again."
        ),
        "shibboleth": lazy(
            "The certificate is credentials/idp-signing.crt (“idp.signing.cert” in conf/idp.properties); "
            "metadata/idp-metadata.xml is not renewed by itself: put the certificate there, then give the file again."
        ),
        "lemonldap": lazy(
            "“SAML2 Service” › “Security parameters” › “Signature”: after a new key, save the configuration and give "
            "/saml/metadata again."
        ),
        "other": lazy(
            "Find the certificate with which the identity provider signs, compare its SHA-256 fingerprint with the one "
            "received, and give the new metadata."
        ),
    },
    Repair.SIGNING: {
        "entra": lazy(
            "“Single sign-on” › “SAML Certificates” › “Edit” › “Signing Option”: choose “Sign SAML response and "
            "assertion”."
        ),
        "adfs": lazy(
            'In PowerShell: Set-AdfsRelyingPartyTrust -TargetName "<the portal>" -SamlResponseSignature '
            "MessageAndAssertion."
        ),
        "okta": lazy(
            "“Applications” › this application › “General” › “SAML Settings” › “Edit” › “Show Advanced Settings”: "
            "“Response” and “Assertion Signature” on “Signed”."
        ),
        "google": lazy(
            "“Apps” › “Web and mobile apps” › this application › “Service provider details”: tick “Signed response”."
        ),
        "keycloak": lazy(
            "“Clients” › the portal › “Settings” › “Signature and Encryption”: turn on “Sign documents” and “Sign "
            "assertions”."
        ),
        "shibboleth": lazy(
            'conf/relying-party.xml, bean SAML2.SSO: p:signResponses="true" (and p:signAssertions="true").'
        ),
        "lemonldap": lazy(
            "“SAML service providers” › the portal › “Options” › “Signature”: “Sign SSO message” on “On”."
        ),
        "other": lazy("Turn on “Sign response” or “Sign assertion”; both together are best."),
    },
    Repair.ALGORITHM: {
        "entra": lazy("“Single sign-on” › “SAML Certificates” › “Edit” › “Signing Algorithm”: choose “SHA-256”."),
        "adfs": lazy(
            "“Relying Party Trusts” › the portal › “Properties” › “Advanced” › “Secure hash algorithm”: choose "
            "“SHA-256”."
        ),
        "okta": lazy(
            "“General” › “SAML Settings” › “Edit” › “Show Advanced Settings”: “Signature Algorithm” on “RSA-SHA256” "
            "and “Digest Algorithm” on “SHA256”."
        ),
        "google": lazy(
            "Google signs with SHA-256 for certificates made since 2017: under “Service provider details” › "
            "“Certificate”, add a new one, choose it, and give the new metadata."
        ),
        "keycloak": lazy(
            "“Clients” › the portal › “Settings” › “Signature and Encryption” › “Signature algorithm”: choose "
            "“RSA_SHA256”."
        ),
        "shibboleth": lazy(
            "Remove the SHA-1 security configuration (shibboleth.SecurityConfiguration.SHA1) from conf/idp.properties "
            "or from the relying party of the portal: the default is SHA-256."
        ),
        "lemonldap": lazy(
            "“SAML service providers” › the portal › “Options” › “Signature” › “Signature method”: choose “RSA SHA256”."
        ),
        "other": lazy("Choose RSA-SHA256 for the signature and SHA-256 for the digest; SHA-1 and MD5 are refused."),
    },
    Repair.AUDIENCE: {
        "entra": lazy(
            "“Single sign-on” › “Basic SAML Configuration” › “Edit” › “Identifier (Entity ID)”: put the value below, "
            "and mark it as the default."
        ),
        "adfs": lazy(
            "“Relying Party Trusts” › the portal › “Properties” › “Identifiers” › “Relying party identifiers”: add the "
            "value below and remove the others."
        ),
        "okta": lazy("“General” › “SAML Settings” › “Edit” › “Audience URI (SP Entity ID)”: put the value below."),
        "google": lazy(
            "“Apps” › “Web and mobile apps” › this application › “Service provider details” › “Entity ID”: put the "
            "value below."
        ),
        "keycloak": lazy(
            "“Clients” › the portal › “Settings” › “Client ID”: it is the entity ID, and must be exactly the value "
            "below."
        ),
        "shibboleth": lazy(
            "conf/metadata-providers.xml: load our metadata from the address below; its entityID is what the assertion "
            "names as its audience."
        ),
        "lemonldap": lazy(
            "“SAML service providers” › the portal › “Metadata”: load our metadata again from the address below."
        ),
        "other": lazy(
            "Set the audience (entity ID, identifier of the service) to exactly the value below, without a final slash "
            "more or less."
        ),
    },
    Repair.REPLY: {
        "entra": lazy(
            "“Single sign-on” › “Basic SAML Configuration” › “Edit” › “Reply URL (Assertion Consumer Service URL)”: "
            "put the value below, and remove old addresses."
        ),
        "adfs": lazy(
            "“Relying Party Trusts” › the portal › “Properties” › “Endpoints” › “SAML Assertion Consumer Endpoints”: "
            "binding POST, the value below as trusted URL."
        ),
        "okta": lazy(
            "“General” › “SAML Settings” › “Edit” › “Single sign-on URL”: put the value below, and tick “Use this for "
            "Recipient URL and Destination URL”."
        ),
        "google": lazy(
            "“Apps” › “Web and mobile apps” › this application › “Service provider details” › “ACS URL”: put the value "
            "below."
        ),
        "keycloak": lazy(
            "“Clients” › the portal › “Settings” › “Valid redirect URIs”, and “Advanced” › “Assertion Consumer Service "
            "POST Binding URL”: put the value below."
        ),
        "shibboleth": lazy(
            "Load our metadata again (conf/metadata-providers.xml): the AssertionConsumerService in it is the value "
            "below. A copy by hand may be old."
        ),
        "lemonldap": lazy(
            "“SAML service providers” › the portal › “Metadata”: load our metadata again; the AssertionConsumerService "
            "in it is the value below."
        ),
        "other": lazy("Set the reply address (ACS URL, recipient, destination) to exactly the value below."),
    },
    Repair.CLOCK: {
        "entra": lazy(
            "Microsoft keeps the clock of Entra ID. If it lasts, tell your account manager: the fault would be ours."
        ),
        "adfs": lazy(
            "On each AD FS server: w32tm /query /status, then w32tm /resync. Servers of a farm must agree among "
            "themselves too."
        ),
        "okta": lazy("Okta keeps its own clock. If it lasts, tell your account manager: the fault would be ours."),
        "google": lazy("Google keeps its own clock. If it lasts, tell your account manager: the fault would be ours."),
        "keycloak": lazy(
            "On the server or the container's host: timedatectl must say “System clock synchronized: yes”. Also look "
            "at “Clients” › the portal › “Advanced” › “Assertion lifespan”."
        ),
        "shibboleth": lazy(
            "On the server: timedatectl must say “System clock synchronized: yes” (chrony or systemd-timesyncd)."
        ),
        "lemonldap": lazy(
            "On the server: timedatectl must say “System clock synchronized: yes”. Also look at the portal's “Options” "
            "› “notOnOrAfter duration”."
        ),
        "other": lazy(
            "Set the clock of the identity provider by a time server (NTP): the two clocks may differ by 90 seconds."
        ),
    },
    Repair.TILE: {
        "entra": lazy(
            "“Single sign-on” › “Basic SAML Configuration” › “Sign on URL”: put our sign-in address below. The tile in "
            "My Apps then begins with us."
        ),
        "adfs": lazy("Do not send people to IdpInitiatedSignOn.aspx: give them the sign-in address below."),
        "okta": lazy(
            "Hide the application's own icon (“General” › “App Settings” › “Application visibility”), and add a "
            "“Bookmark App” to the sign-in address below."
        ),
        "google": lazy(
            "“Service provider details” › “Start URL”: leave it empty, and give people the sign-in address below "
            "instead of the tile."
        ),
        "keycloak": lazy(
            "“Clients” › the portal › “Settings”: empty “IDP-Initiated SSO URL name”, and put the sign-in address "
            "below into “Home URL”."
        ),
        "shibboleth": lazy("Do not link to /idp/profile/SAML2/Unsolicited/SSO: link to the sign-in address below."),
        "lemonldap": lazy(
            "“Options” › “Allow login initiated by the IdP”: “Off”; put the sign-in address below into the application "
            "of the menu."
        ),
        "other": lazy(
            "Let the tile or the link in your intranet lead to our sign-in address below, instead of sending an answer "
            "by itself."
        ),
    },
    Repair.IDENTIFIER: {
        "entra": lazy(
            "“Single sign-on” › “Attributes & Claims” › “Unique User Identifier (Name ID)”: format “Persistent”, "
            "source attribute “user.objectid”."
        ),
        "adfs": lazy(
            "“Edit Claim Issuance Policy”: a rule that sends “objectGUID” or “employeeID” from Active Directory as "
            "“Name ID”, and another that sets its format to “Persistent Identifier”."
        ),
        "okta": lazy(
            "“General” › “SAML Settings” › “Edit”: “Name ID format” on “Persistent”, “Application username” on a "
            "custom value such as user.id."
        ),
        "google": lazy(
            "Google offers only the e-mail address or a custom attribute: under “Service provider details”, “Name ID” "
            "on a custom attribute with the employee number, “Name ID format” on “PERSISTENT”."
        ),
        "keycloak": lazy(
            "“Clients” › the portal › “Settings” › “SAML capabilities”: “Name ID format” on “persistent”, “Force name "
            "ID format” on “On”."
        ),
        "shibboleth": lazy(
            "conf/saml-nameid.properties and saml-nameid.xml: turn on the persistent generator; or release "
            "samlSubjectID or samlPairwiseID to the portal in conf/attribute-filter.xml. The default is transient."
        ),
        "lemonldap": lazy(
            "“SAML service providers” › the portal › “Options” › “Authentication response” › “Default NameID format”: "
            "“Persistent”."
        ),
        "other": lazy(
            "Send a NameID of the format “persistent”, or an attribute that never changes and is never given to "
            "somebody else, such as the employee number."
        ),
    },
    Repair.ATTRIBUTE: {
        "entra": lazy(
            "“Single sign-on” › “Attributes & Claims”: one value per claim; under “Add a group claim” choose “Groups "
            "assigned to the application”, or remove the groups."
        ),
        "adfs": lazy(
            "“Edit Claim Issuance Policy”: one rule per attribute; send E-Mail-Addresses, Given-Name, Surname and "
            "Employee-Number only, no group rule."
        ),
        "okta": lazy(
            "“General” › “SAML Settings” › “Edit” › “Attribute Statements”: one value each; narrow or remove “Group "
            "Attribute Statements”."
        ),
        "google": lazy(
            "“Apps” › “Web and mobile apps” › this application › “SAML attribute mapping”: one field of the directory "
            "per attribute; remove “Group membership”."
        ),
        "keycloak": lazy(
            "“Clients” › the portal › “Client scopes” › the dedicated scope › “Mappers”: one mapper per attribute; "
            "remove “role_list” if the answer is too long."
        ),
        "shibboleth": lazy(
            "conf/attribute-filter.xml: release mail, givenName, sn and employeeNumber to the portal and nothing else; "
            "conf/attribute-resolver.xml says where each value comes from."
        ),
        "lemonldap": lazy(
            "“SAML service providers” › the portal › “Exported attributes”: mail, givenName, sn and employeeNumber, "
            "one value each, no groups."
        ),
        "other": lazy(
            "Send the e-mail address, the first name, the last name and the employee number, one value each, and no "
            "groups."
        ),
    },
    Repair.ASSIGNMENT: {
        "entra": lazy(
            "“Enterprise applications” › this application › “Users and groups”: add the person or a group; or "
            "“Properties” › “Assignment required?” on “No”."
        ),
        "adfs": lazy(
            "“Relying Party Trusts” › the portal › “Edit Access Control Policy”: permit everyone, or the group of the "
            "people concerned."
        ),
        "okta": lazy("“Applications” › this application › “Assignments” › “Assign”: add the person or a group."),
        "google": lazy(
            "“Apps” › “Web and mobile apps” › this application › “User access”: “ON for everyone”, or for the "
            "organisational unit concerned."
        ),
        "keycloak": lazy(
            "Look at the authentication flow of the client (“Advanced” › “Authentication flow overrides”) and at the "
            "roles that it demands."
        ),
        "shibboleth": lazy(
            "Look at the context-check interceptor (conf/intercept/context-check-intercept-config.xml): it decides who "
            "may reach the portal."
        ),
        "lemonldap": lazy(
            "“SAML service providers” › the portal › “Options” › “Access rule”: accept, or the rule of the people "
            "concerned."
        ),
        "other": lazy("Assign the application to the person, or to a group that they belong to."),
    },
    Repair.AUTHENTICATION: {
        "entra": lazy(
            "“Enterprise applications” › this application › “Sign-in logs”: the line of this person says why, with an "
            "AADSTS code; often a Conditional Access policy."
        ),
        "adfs": lazy(
            "Event Viewer › “AD FS” › “Admin”: events 364 and 342 at this time say why; check that the account is "
            "neither locked nor expired."
        ),
        "okta": lazy(
            "“Reports” › “System Log”: look for the person at this time; often a sign-on policy that demands another "
            "factor."
        ),
        "google": lazy(
            "“Reporting” › “Audit and investigation” › “SAML log events”: the line of this person says why "
            "(app_not_enabled_for_user, …)."
        ),
        "keycloak": lazy(
            "“Events” › “User events”: LOGIN_ERROR at this time says why (user_disabled, invalid_signature, …). Turn "
            "on “Save events” if the list is empty."
        ),
        "shibboleth": lazy("logs/idp-process.log and idp-warn.log at this time say why."),
        "lemonldap": lazy("The log of the portal at this time says why; raise “Logs level” to “info” if it is silent."),
        "other": lazy(
            "Look for the sign-in of this person in the journal of the identity provider, at the time given above."
        ),
    },
    Repair.ENCRYPTION: {
        "entra": lazy(
            "“Security” › “Token encryption”: deactivate it, or import the certificate of our metadata, activate it, "
            "and choose “Sign SAML response and assertion”."
        ),
        "adfs": lazy(
            "“Relying Party Trusts” › the portal › “Properties” › “Encryption”: remove the certificate, or put that of "
            "our metadata and set -SamlResponseSignature MessageAndAssertion."
        ),
        "okta": lazy(
            "“General” › “SAML Settings” › “Edit” › “Show Advanced Settings” › “Assertion Encryption”: “Unencrypted”, "
            "or upload the certificate of our metadata, and “Response” on “Signed”."
        ),
        "google": lazy("Google does not encrypt by itself: look for a proxy between Google and the portal."),
        "keycloak": lazy(
            "“Clients” › the portal › “Keys” › “Encryption keys config”: turn off “Encrypt assertions”, or import the "
            "certificate of our metadata and keep “Sign documents” on."
        ),
        "shibboleth": lazy(
            'conf/relying-party.xml: p:encryptAssertions="false" for the portal, or let it read our metadata again, '
            'with p:signResponses="true".'
        ),
        "lemonldap": lazy(
            "“Options” › “Security” › “Encryption mode”: “None”, or load our metadata again and keep “Sign SSO "
            "message” on “On”."
        ),
        "other": lazy(
            "Turn encryption off (the transport is encrypted), or give the identity provider our current metadata and "
            "let it sign the response too."
        ),
    },
}
