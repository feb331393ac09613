"""What HR fills in to bring a roster."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from imports.models import RosterImport


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Your file"),
        help_text=_(
            "Excel, OpenDocument or CSV, as your HR system exports it. It is encrypted, read once, then deleted."
        ),
        max_length=255,
    )
    mode = forms.ChoiceField(
        label=_("What the file holds"),
        choices=[
            (RosterImport.Mode.DELTA, _("Some people: the others stay as they are")),
            (RosterImport.Mode.FULL, _("The whole roster: whoever is not in it has left")),
        ],
        initial=RosterImport.Mode.DELTA,
        widget=forms.RadioSelect,
    )
    cohort = forms.CharField(
        label=_("Everyone in the file joins this cohort"),
        help_text=_("A cohort that does not exist yet is created when the import is applied."),
        max_length=150,
        required=False,
    )
