"""The form by which metadata comes in: a file, or its text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from sso.saml.metadata import LARGEST_METADATA


class MetadataForm(forms.Form):
    """`cleaned_data["metadata_xml"]` is the document; whether it is metadata is for the service to say."""

    file = forms.FileField(
        label=lazy("Metadata file"),
        required=False,
        help_text=lazy("The XML file that your identity provider offers, often named “federation metadata”."),
    )
    text = forms.CharField(
        label=lazy("Or its text"), required=False, widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file, text = cleaned.get("file"), cleaned.get("text", "")
        if not file and not text and not self.errors:
            raise forms.ValidationError(_("Choose a file, or paste its text."))
        if file and file.size > LARGEST_METADATA:
            raise forms.ValidationError(_("This file is larger than 1 MB."))
        cleaned["metadata_xml"] = file.read() if file else text.encode()
        return cleaned
