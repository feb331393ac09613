"""The form by which an owner claims an e-mail domain."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class DomainForm(forms.Form):
    """What is a domain, and which may be claimed, is for the service to say."""

    domain = forms.CharField(
        label=_("E-mail domain"),
        max_length=253,
        help_text=_("What stands after the @ in your people’s work addresses, for instance example.fr."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    include_subdomains = forms.BooleanField(
        label=_("Its subdomains too, for instance north.example.fr"), required=False
    )
