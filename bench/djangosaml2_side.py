"""First sign-ins by djangosaml2, as it is documented: run by the interpreter of an environment of its own.

It gets what helps it: a database in memory, and a person who needs nothing but a login. It prints how long each posted
answer took, in seconds, as JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.management import call_command

from sso.saml.config import new_key_pair
from sso.saml.issuing import Issuer, Subject, identity_provider_metadata, issued_response, read_request

BASE = "http://localhost:8000"
POST, REDIRECT = (f"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-{name}" for name in ("POST", "Redirect"))


def main(directory: Path, xmlsec: str, count: int) -> None:
    issuer = Issuer("https://idp.bench.example/metadata", *new_key_pair("bench"))
    private_key, certificate = new_key_pair("djangosaml2")
    files = {
        "idp.xml": identity_provider_metadata(issuer, sso_url="https://idp.bench.example/sso"),
        "sp.key": private_key.encode(),
        "sp.crt": certificate.encode(),
    }
    for name, content in files.items():
        (directory / name).write_bytes(content)
    configure(directory, xmlsec)
    from django.test import Client  # noqa: PLC0415  Needs the settings.

    seconds = []
    for number in range(count):
        browser = Client(SERVER_NAME="localhost", SERVER_PORT="8000")
        going = browser.get("/login/")
        query = parse_qs(urlsplit(going["Location"]).query)
        asked = read_request(query["SAMLRequest"][0], deflated=True)
        said = Subject(f"person-{number}", {"mail": [f"person.{number}@bench.example"]})
        answer = issued_response(issuer, asked, said, now=dt.datetime.now(dt.UTC))
        fields = {"SAMLResponse": answer, "RelayState": query["RelayState"][0]}
        begun = time.perf_counter()
        response = browser.post("/acs/", fields)
        seconds.append(time.perf_counter() - begun)
        if response.status_code != 302 or "_auth_user_id" not in browser.session:
            raise RuntimeError(f"Nobody was signed in: {response.status_code}.")
    json.dump(seconds, sys.stdout)


def configure(directory: Path, xmlsec: str) -> None:
    settings.configure(
        SECRET_KEY="only for the benchmark, and public",  # noqa: S106  No secret at all.
        ALLOWED_HOSTS=["localhost"],
        ROOT_URLCONF="djangosaml2.urls",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "djangosaml2",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "djangosaml2.middleware.SamlSessionMiddleware",
        ],
        AUTHENTICATION_BACKENDS=["djangosaml2.backends.Saml2Backend"],
        LOGIN_REDIRECT_URL="/",
        USE_TZ=True,
        SAML_DEFAULT_BINDING=REDIRECT,
        SAML_USE_NAME_ID_AS_USERNAME=True,
        SAML_ATTRIBUTE_MAPPING={"mail": ("email",)},
        SAML_CONFIG={
            "xmlsec_binary": xmlsec,
            "entityid": f"{BASE}/metadata/",
            "allow_unknown_attributes": True,
            "service": {
                "sp": {
                    "endpoints": {"assertion_consumer_service": [(f"{BASE}/acs/", POST)]},
                    "allow_unsolicited": False,
                    "authn_requests_signed": True,
                    "want_response_signed": False,
                    "want_assertions_signed": True,
                }
            },
            "metadata": {"local": [str(directory / "idp.xml")]},
            "key_file": str(directory / "sp.key"),
            "cert_file": str(directory / "sp.crt"),
        },
        LOGGING_CONFIG=None,
    )
    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
