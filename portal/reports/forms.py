"""Forms of the pages about cohorts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from portal.cohorts.models import DEFAULT_PROGRAMME, Programme


class CohortForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=150, help_text=_("As it stands in the roster's cohort column."))
    programme = forms.ChoiceField(label=_("Programme"), initial=DEFAULT_PROGRAMME)
    starts_on = forms.DateField(
        label=_("First day"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    ends_on = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's signature.
        super().__init__(*args, **kwargs)
        self._programmes = {programme.code: programme for programme in Programme.objects.order_by("code")}
        in_french = (get_language() or "fr").startswith("fr")
        choice = self.fields["programme"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [
            (code, programme.name_fr if in_french else programme.name_en)
            for code, programme in self._programmes.items()
        ]

    def clean_programme(self) -> Programme:
        return self._programmes[self.cleaned_data["programme"]]
