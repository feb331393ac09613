"""The forms of the set-up: which product, which metadata, which attributes, and for whom a link is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from portal.core.errors import Refusal
from sso.connecting import read_metadata
from sso.drafts import provider_described
from sso.fetching import fetched_metadata
from sso.saml.attributes import NAME_ID, PRESET
from sso.saml.metadata import LARGEST_METADATA
from sso.vendors import MAPPINGS, VENDORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sso.saml.config import IdentityProvider

CUSTOM = "custom"
AUTOMATIC = "automatic"

_FIELD_OF_CODE = {
    "metadata_no_entity_id": "entity_id",
    "metadata_insecure_endpoint": "sso_url",
    "metadata_bad_certificate": "certificate",
    "metadata_weak_key": "certificate",
}

TARGETS = {
    "subject": lazy("Identifier that never changes"),
    "email": lazy("E-mail address"),
    "employee_number": lazy("Employee number"),
    "first_name": lazy("First name"),
    "last_name": lazy("Last name"),
    "display": lazy("Display name"),
}
"""What the portal reads of a person, in the order in which it is shown."""

_plain = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


def vendor_name(vendor: str) -> str:
    return VENDORS.get(vendor) or _("Another identity provider")


def _vendor_choices() -> list[tuple[str, str]]:
    return [(code, vendor_name(code)) for code in VENDORS]


def _preset_choices() -> list[tuple[str, str]]:
    named = [
        (code, _("The names that %(vendor)s uses") % {"vendor": vendor_name(code)})
        for code, mapping in MAPPINGS.items()
        if mapping
    ]
    return [(AUTOMATIC, _("Automatic: every usual name is tried")), *named, (CUSTOM, _("The names below"))]


class VendorForm(forms.Form):
    vendor = forms.ChoiceField(
        label=lazy("Which identity provider does your organisation use?"),
        choices=_vendor_choices,
        widget=forms.RadioSelect,
        error_messages={"required": lazy("Choose your identity provider in the list.")},
    )


class GivenMetadataForm(forms.Form):
    """Metadata by one of three ways. `idp` is the identity provider read, `source` where it came from.

    Whatever is wrong stands beside the field that it is wrong in.
    """

    url = forms.CharField(
        label=lazy("Address of the metadata"),
        required=False,
        max_length=1024,
        widget=forms.URLInput(attrs=_plain),
    )
    file = forms.FileField(label=lazy("Metadata file"), required=False, allow_empty_file=True)
    entity_id = forms.CharField(
        label=lazy("Entity ID of your identity provider"),
        required=False,
        max_length=1024,
        widget=forms.TextInput(attrs=_plain),
    )
    sso_url = forms.CharField(
        label=lazy("Sign-in address (HTTP-Redirect)"),
        required=False,
        max_length=1024,
        widget=forms.URLInput(attrs=_plain),
    )
    certificate = forms.CharField(
        label=lazy("Certificate of its signatures"),
        required=False,
        max_length=20_000,
        help_text=lazy("The text between “BEGIN CERTIFICATE” and “END CERTIFICATE”, with or without these lines."),
        widget=forms.Textarea(attrs={"rows": 5, **_plain}),
    )

    idp: IdentityProvider | None = None
    source = ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "PRIVATE KEY" in self.data.get("certificate", ""):
            self._refuse_private_key()
        ways = self._ways(cleaned)
        if self.errors:
            return cleaned
        if len(ways) != 1:
            few = _("Give the address, the file, or the three fields.")
            many = _("Give the metadata in one way only: the address, the file, or the three fields.")
            raise forms.ValidationError(many if ways else few)
        getattr(self, f"_by_{ways[0]}")(cleaned)
        return cleaned

    @property
    def by_fields(self) -> bool:
        """Whether the three fields are to be seen: somebody has begun to fill them in."""
        begun = any(self.data.get(name) or name in self.errors for name in ("entity_id", "sso_url", "certificate"))
        return self.is_bound and begun

    def _refuse_private_key(self) -> None:
        """Say what was pasted, and do not send it back: the page would be one more copy."""
        self.data = {**self.data.dict(), "certificate": ""} if isinstance(self.data, QueryDict) else {}
        message = _(
            "This is a private key, not a certificate. It was not kept. Never send it to anybody, and replace it in"
            " your identity provider: it has left its place."
        )
        self.add_error("certificate", message)

    def _ways(self, cleaned: Mapping[str, Any]) -> list[str]:
        fields = any(cleaned.get(name) for name in ("entity_id", "sso_url", "certificate"))
        given = {"url": cleaned.get("url"), "file": cleaned.get("file") is not None, "fields": fields}
        return [way for way, there in given.items() if there]

    def _by_url(self, cleaned: Mapping[str, Any]) -> None:
        url = cleaned["url"].strip()
        try:
            self.idp, self.source = read_metadata(fetched_metadata(url)), url
        except Refusal as refusal:
            self.add_error("url", str(refusal))

    def _by_file(self, cleaned: Mapping[str, Any]) -> None:
        file = cleaned["file"]
        if file.size > LARGEST_METADATA:
            self.add_error("file", _("This file is larger than 1 MB."))
            return
        try:
            self.idp, self.source = read_metadata(file.read()), "file"
        except Refusal as refusal:
            self.add_error("file", str(refusal))

    def _by_fields(self, cleaned: Mapping[str, Any]) -> None:
        for name in ("entity_id", "sso_url", "certificate"):
            if not cleaned.get(name):
                self.add_error(name, _("All three fields are needed."))
        if self.errors:
            return
        try:
            self.idp, self.source = (
                provider_described(**{n: cleaned[n] for n in ("entity_id", "sso_url", "certificate")}),
                "fields",
            )
        except Refusal as refusal:
            self.add_error(_FIELD_OF_CODE.get(refusal.code), str(refusal))


class MappingForm(forms.Form):
    """Which attributes are read. `mapping` is what the service takes."""

    preset = forms.ChoiceField(label=lazy("Names of the attributes"), choices=_preset_choices)

    def __init__(self, data: Any = None, *, mapping: Mapping[str, list[str]], known: list[str]) -> None:  # noqa: ANN401
        super().__init__(data, initial={"preset": _preset_of(mapping)})
        self.known = known
        for target, label in TARGETS.items():
            attributes = {**_plain, "list": "received", "placeholder": _("automatic")}
            self.fields[target] = forms.CharField(
                label=label,
                required=False,
                max_length=1024,
                initial=", ".join(mapping.get(target, [])),
                widget=forms.TextInput(attrs=attributes),
            )
        self.fields["subject"].help_text = _(
            "“%(name_id)s” stands for the persistent NameID. Never an e-mail address, nor a user name made of one."
        ) % {"name_id": NAME_ID}

    @property
    def targets(self) -> list[forms.BoundField]:
        return [self[target] for target in TARGETS]

    @property
    def mapping(self) -> dict[str, list[str]]:
        preset = self.cleaned_data["preset"]
        if preset != CUSTOM:
            return {target: list(names) for target, names in MAPPINGS.get(preset, {}).items()}
        written = {target: self.cleaned_data.get(target, "") for target in PRESET}
        split = {target: [name.strip() for name in text.split(",")] for target, text in written.items()}
        return {target: [name for name in names if name][:10] for target, names in split.items() if any(names)}


class SetupLinkForm(forms.Form):
    recipient = forms.CharField(
        label=lazy("Whom the link is for"),
        required=False,
        max_length=200,
        help_text=lazy("A word for your own list, such as “IT, identity team”. Nothing is sent."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def _preset_of(mapping: Mapping[str, list[str]]) -> str:
    """Return which preset a mapping is; one that a test has frozen is a choice of its own."""
    if not mapping:
        return AUTOMATIC
    return next((code for code, names in MAPPINGS.items() if names and dict(names) == dict(mapping)), CUSTOM)
