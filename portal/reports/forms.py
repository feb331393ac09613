"""Forms of the pages about cohorts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from portal.cohorts.models import DEFAULT_PROGRAMME, Programme


class ProgrammeField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Programme) -> str:  # type: ignore[override]  # The field holds programmes only.
        return obj.name_fr if (get_language() or "fr").startswith("fr") else obj.name_en


class CohortForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=150, help_text=_("As it stands in the roster's cohort column."))
    programme = ProgrammeField(Programme.objects.none(), label=_("Programme"), empty_label=None)
    starts_on = forms.DateField(
        label=_("First day"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    ends_on = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's signature.
        super().__init__(*args, **kwargs)
        programme = self.fields["programme"]
        assert isinstance(programme, ProgrammeField)
        programme.queryset = Programme.objects.order_by("code")
        programme.initial = Programme.objects.filter(code=DEFAULT_PROGRAMME).first()
