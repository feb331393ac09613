"""npm samlp, the library behind many identity providers written in JavaScript, speaking as Entra ID does."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.interop.processes import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.demo.invented import Person
    from tests.sso.saml_kit import Keys

APP = Path(__file__).parent / "samlp" / "app.js"
TENANT = "7b1d4c3e-5a29-4f0e-9d6b-2c8f10a3e4d5"
ISSUER = f"https://sts.windows.net/{TENANT}/"
CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
MICROSOFT = "http://schemas.microsoft.com/identity/claims/"
EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"


@dataclass(frozen=True)
class Samlp:
    folder: Path
    address: str
    keys: Keys

    @property
    def metadata_url(self) -> str:
        return f"{self.address}/metadata"

    def behave(self, person: Person | None = None, *, acs_url: str = "", email: str = "", **habits: Any) -> None:
        """Sign this person in from now on, under another address if one is given, with these options of the library."""
        settings = {
            "port": int(self.address.rpartition(":")[2]),
            "issuer": ISSUER,
            "certificate": self.keys.certificate_pem,
            "key": self.keys.private_pem,
            "acs_url": acs_url,
            "person": profile(person, email or person.email) if person else {},
            "habits": habits,
        }
        fresh = self.folder / "settings.new"
        fresh.write_text(json.dumps(settings))
        fresh.replace(self.folder / "settings.json")


def profile(person: Person, email: str) -> dict[str, Any]:
    """The claims of Entra ID: its NameID is the user principal name, which changes; the object identifier does not."""
    return {
        "name_id": email,
        "name_id_format": EMAIL_FORMAT,
        "claims": {
            f"{MICROSOFT}tenantid": TENANT,
            f"{MICROSOFT}objectidentifier": f"00000000-0000-4000-8000-{person.number:0>12}",
            f"{MICROSOFT}displayname": f"{person.first_name} {person.last_name}",
            f"{MICROSOFT}identityprovider": ISSUER,
            "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups": ["8f0e1c", "2b7d9a"],
            f"{CLAIMS}givenname": person.first_name,
            f"{CLAIMS}surname": person.last_name,
            f"{CLAIMS}emailaddress": email.upper(),
            f"{CLAIMS}name": email,
        },
    }


@contextlib.contextmanager
def running(modules: Path, folder: Path, port: int, keys: Keys) -> Iterator[Samlp]:
    """Run `app.js` with the packages that are installed in `modules`."""
    provider = Samlp(folder, f"http://127.0.0.1:{port}", keys)
    provider.behave()
    command = ["node", str(APP), str(folder)]
    environment = {"NODE_PATH": str(modules), "NODE_NO_WARNINGS": "1"}
    with serving(command, address=provider.metadata_url, log=folder / "server.log", environment=environment):
        yield provider
