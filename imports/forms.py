"""What HR fills in to bring a roster and to correct it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from imports.messages import field_label, row_message
from imports.models import RosterImport

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from imports.pipeline.issues import Issue

_NAMES = ("last_name", "first_name")


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


class CorrectionsForm(forms.Form):
    file = forms.FileField(
        label=_("The rows that you corrected"),
        help_text=_("The workbook that you downloaded here: its rows replace those that were to correct."),
        max_length=255,
    )


class FindForm(forms.Form):
    """Names do not belong in an address that is remembered, so a search is posted."""

    q = forms.CharField(
        label=_("Find a person of the file"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class RowForm(forms.Form):
    """A row of the file, to be typed over: one text per field that the file has."""

    def __init__(self, names: Sequence[str], data: Mapping[str, str] | None = None, **options: Any) -> None:  # noqa: ANN401
        super().__init__(data, **options)
        for name in names:
            label = field_label(name)
            self.fields[name] = forms.CharField(label=label[:1].upper() + label[1:], required=False, max_length=2_000)

    @property
    def texts(self) -> dict[str, str]:
        """What was typed, also where it is wrong."""
        return {name: str(self.data.get(name, "")).strip() for name in self.fields}

    def tell(self, issues: Iterable[Issue]) -> None:
        """Put what is wrong beside its field; what belongs to no field of the row, above them all."""
        for issue in issues:
            said = {"value": issue.value, **issue.params}
            self.add_error(place_of(issue.field, self.fields), row_message(issue.code, said))


def place_of(field: str, names: Iterable[str]) -> str | None:
    """Where an issue of a field stands among those of the form: one column of names is two fields here."""
    if field in names:
        return field
    return next((name for name in _NAMES if name in names), None) if field == "full_name" else None
