"""How SimpleSAMLphp is told to speak like identity providers that cannot be installed here."""

from __future__ import annotations

from typing import Any

from tests.interop.simplesamlphp import FORMAT, FORMAT_1_1, name_id_from

TRANSIENT = f"{FORMAT}transient"
# Shibboleth: a NameID that changes, the one that does not in eduPersonTargetedID, names by OID, the response signed.
SHIBBOLETH: dict[str, Any] = {
    "NameIDFormat": TRANSIENT,
    "saml20.sign.assertion": False,
    "attributes.NameFormat": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
    "attributeencodings": {"urn:oid:1.3.6.1.4.1.5923.1.1.1.10": "raw"},
    "authproc": {
        "1": {"class": "core:TargetedID", "identifyingAttribute": "uid", "nameId": True},
        "2": {"class": "core:AttributeMap", "0": "name2oid"},
    },
}
# AD FS: the account's name as a NameID without a format, names by claims, the assertion signed.
AD_FS: dict[str, Any] = {
    "NameIDFormat": f"{FORMAT_1_1}unspecified",
    "saml20.sign.response": False,
    "authproc": {
        "1": name_id_from("uid", f"{FORMAT_1_1}unspecified")["authproc"]["1"],
        "2": {"class": "core:AttributeMap", "0": "name2claim"},
    },
}
URNS: dict[str, Any] = {
    "authproc": {"1": name_id_from("uid")["authproc"]["1"], "2": {"class": "core:AttributeMap", "0": "name2urn"}}
}
