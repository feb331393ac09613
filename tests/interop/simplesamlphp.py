"""SimpleSAMLphp, as Debian packages it, in the role of a partner's identity provider.

Its configuration in `simplesamlphp/` reads everything that changes from a folder of this run: the keys, the people,
and the services that it knows, each with its own habits. So one server answers like many: it is asked at each request.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal.processes import last_lines
from tests.interop.processes import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portal.demo.invented import Person
    from tests.sso.saml_kit import Keys

CONFIGURATION = Path(__file__).parent / "simplesamlphp"
FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
FORMAT_1_1 = "urn:oasis:names:tc:SAML:1.1:nameid-format:"
PASSWORD = "a password at the company"


def name_id_from(attribute: str, name_id_format: str = f"{FORMAT}persistent") -> dict[str, Any]:
    """The habit of filling the NameID from an attribute, in a format."""
    rule = {"class": "saml:AttributeNameID", "attribute": attribute, "Format": name_id_format}
    return {"NameIDFormat": name_id_format, "authproc": {"1": rule}}


@dataclass(frozen=True)
class SimpleSAMLphp:
    folder: Path
    address: str

    @property
    def metadata_url(self) -> str:
        """By default this is its entity ID as well."""
        return f"{self.address}/saml2/idp/metadata.php"

    def prepare(self, program: Path, entity_id: str) -> None:
        for name in ("keys", "data", "tmp", "sessions", "services"):
            (self.folder / name).mkdir()
        # A Debian package's files lie at /usr/share and /etc, or below the folder that it was unpacked to.
        maps = program.parents[2] / "etc" / "simplesamlphp" / "attributemap"
        self._write(
            "settings.json",
            {
                "address": self.address,
                "entity_id": entity_id or self.metadata_url,
                "salt": secrets.token_hex(16),
                "attribute_maps": str(maps),
                "hosted": {},
            },
        )
        self._write("people.json", {})

    def employ(self, people: Sequence[Person]) -> None:
        """Give these people an account: their e-mail address and the one password."""
        self._write(
            "people.json",
            {
                f"{person.email}:{PASSWORD}": {
                    "uid": [f"u{person.number}"],
                    "employeeNumber": [person.number],
                    "mail": [person.email],
                    "givenName": [person.first_name],
                    "sn": [person.last_name],
                }
                for person in people
            },
        )

    def sign_with(self, keys: Keys, *, next_keys: Keys | None = None, **published: Any) -> None:
        """Sign with these keys from now on, with the next ones and these options published beside them."""
        settings = json.loads((self.folder / "settings.json").read_text())
        settings["hosted"] = published | self._stored(keys, "")
        if next_keys:
            settings["hosted"] |= self._stored(next_keys, "new_")
        self._write("settings.json", settings)

    def _stored(self, keys: Keys, prefix: str) -> dict[str, str]:
        name = secrets.token_hex(4)
        (self.folder / "keys" / f"{name}.pem").write_text(keys.private_pem)
        (self.folder / "keys" / f"{name}.crt").write_text(keys.certificate_pem)
        return {f"{prefix}privatekey": f"{name}.pem", f"{prefix}certificate": f"{name}.crt"}

    def know(self, name: str, metadata_xml: str, **habits: Any) -> None:
        """Import a service by its metadata, as its administrator does, and answer it with these habits."""
        (self.folder / "services" / f"{name}.xml").write_text(metadata_xml)
        self.behave(name, **habits)

    def behave(self, name: str, **habits: Any) -> None:
        """Answer a service with these habits from now on; by default both parts are signed, and `uid` is the NameID."""
        self._write(f"services/{name}.json", name_id_from("uid") | habits)

    def journal(self) -> str:
        return last_lines(self.folder / "simplesamlphp.log")

    def _write(self, name: str, document: dict[str, Any]) -> None:
        """Replace at once: the server may be reading."""
        fresh = self.folder / f"{name}.new"
        fresh.write_text(json.dumps(document))
        fresh.replace(self.folder / name)


@contextlib.contextmanager
def running(program: Path, folder: Path, port: int, keys: Keys, *, entity_id: str = "") -> Iterator[SimpleSAMLphp]:
    """Run the SimpleSAMLphp that is installed at `program` by PHP's own server."""
    provider = SimpleSAMLphp(folder, f"http://127.0.0.1:{port}")
    provider.prepare(program, entity_id)
    provider.sign_with(keys)
    command = ["php", "-d", "opcache.enable=0", "-S", f"127.0.0.1:{port}", "-t", str(program / "www")]
    environment = {"SIMPLESAMLPHP_CONFIG_DIR": str(CONFIGURATION / "config"), "INTEROP_FOLDER": str(folder)}
    with serving(command, address=provider.metadata_url, log=folder / "server.log", environment=environment):
        yield provider
