"""Signatures of our own: enveloped in a message, or over a query string."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import xmlsec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from xmlsec import constants

from sso.saml.names import RSA_SHA256, saml

if TYPE_CHECKING:
    from lxml import etree


def signed_element(element: etree._Element, *, private_key_pem: str, certificate_pem: str) -> None:
    """Sign an element that has an ID: the signature follows its Issuer, where the schema wants it."""
    template = xmlsec.template
    signature = template.create(element, constants.TransformExclC14N, constants.TransformRsaSha256)
    issuer = element.find(saml("Issuer"))
    element.insert(0 if issuer is None else element.index(issuer) + 1, signature)
    reference = template.add_reference(signature, constants.TransformSha256, uri=f"#{element.get('ID')}")
    template.add_transform(reference, constants.TransformEnveloped)
    template.add_transform(reference, constants.TransformExclC14N)
    template.add_x509_data(template.ensure_key_info(signature))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(private_key_pem, constants.KeyDataFormatPem, None)
    context.key.load_cert_from_memory(certificate_pem, constants.KeyDataFormatPem)
    xmlsec.tree.add_ids(element, ["ID"])
    context.sign(signature)


def signed_query(parameters: dict[str, str], *, private_key_pem: str) -> str:
    """Return the query string of the redirect binding, signed over exactly the bytes that are sent."""
    query = "&".join(f"{name}={quote_plus(value)}" for name, value in parameters.items())
    query += f"&SigAlg={quote_plus(RSA_SHA256)}"
    signature = _rsa_key(private_key_pem).sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{query}&Signature={quote_plus(base64.b64encode(signature).decode())}"


@lru_cache(maxsize=512)
def _rsa_key(private_key_pem: str) -> rsa.RSAPrivateKey:
    """Load one of our own keys, once: OpenSSL's validation of its primes takes half a second, on every sign-in.

    The key was made here and was sealed with authentication since, so there is nothing to validate.
    """
    key = serialization.load_pem_private_key(
        private_key_pem.encode(), password=None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("Requests are signed with an RSA key.")
    return key
