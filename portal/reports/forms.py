"""Forms of the pages about cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from portal.cohorts.models import DEFAULT_PROGRAMME, Programme
from portal.cohorts.services import LARGEST_TARGET
from portal.core.templatetags.ui import number
from portal.enrolments.by_hand import MOST_AT_ONCE
from portal.progress.losses import Loss
from portal.progress.rollups import STEPS
from portal.reports.participants import WITHDRAWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.cohorts.models import Cohort
    from portal.enrolments.by_hand import Found

_LISTED_SITES = 200
_LINES_SHOWN = 10


class CohortForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=150, help_text=_("As it stands in the roster's cohort column."))
    programme = forms.ChoiceField(label=_("Programme"), initial=DEFAULT_PROGRAMME)
    starts_on = forms.DateField(
        label=_("First day"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    ends_on = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    target = forms.IntegerField(
        label=_("Target"),
        required=False,
        min_value=1,
        max_value=LARGEST_TARGET,
        help_text=_("How many people are to be certified."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
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


class CohortEditForm(CohortForm):
    def __init__(self, data: Mapping[str, Any] | None = None, *, cohort: Cohort) -> None:
        initial = {name: getattr(cohort, name) for name in ("name", "starts_on", "ends_on", "target")}
        super().__init__(data, initial={**initial, "programme": cohort.programme.code})


class PeopleFilter(forms.Form):
    """Which people of a cohort are listed. `nosite` asks for those without a site, which no select can say."""

    def __init__(self, data: Mapping[str, Any], *, sites: Sequence[str]) -> None:
        super().__init__(data)
        every = [("", _("Every site")), *((site, site) for site in sites)]
        self.fields["site"] = (
            forms.ChoiceField(label=_("Site"), required=False, choices=every)
            if len(sites) <= _LISTED_SITES
            else forms.CharField(label=_("Site"), required=False, max_length=150, help_text=_("Its exact name."))
        )

    @staticmethod
    def wanted(data: Mapping[str, str]) -> dict[str, Any]:
        """Return what is asked for; what does not exist asks for everyone in the cohort."""
        step, loss, site = data.get("step", ""), data.get("loss", ""), data.get("site", "")[:150]
        return {
            "step": step if step in {*STEPS, WITHDRAWN} else "",
            "loss": loss if loss in set(Loss) else "",
            "site": "" if data.get("nosite") else site or None,
        }

    @staticmethod
    def query(wanted: Mapping[str, Any]) -> dict[str, str]:
        """Return the address of the same list."""
        asked = {name: wanted[name] for name in ("step", "loss", "site") if wanted[name]}
        return asked | ({"nosite": "1"} if wanted["site"] == "" else {})


class EnrolForm(forms.Form):
    people = forms.CharField(
        label=_("Employee numbers or e-mail addresses"),
        help_text=_("One person per line, a thousand at most. Only active people of the roster can be enrolled."),
        max_length=300_000,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocapitalize": "none"}),
    )

    def clean_people(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["people"].splitlines() if line.strip()]
        if len(lines) > MOST_AT_ONCE:
            message = _t("These are %(count)s lines: a thousand at most at once. For more, use a file or a rule.")
            raise forms.ValidationError(message % {"count": number(len(lines))})
        return lines

    def refuse(self, found: Found) -> None:
        """Say which lines name nobody or several people: nobody is enrolled by a list that was read in part."""
        for lines, words in ((found.unknown, _nobody), (found.several, _several)):
            if lines:
                shown = ", ".join(line[:80] for line in lines[:_LINES_SHOWN])
                more = len(lines) - _LINES_SHOWN
                if more > 0:
                    shown = _t("%(values)s and %(count)s more") % {"values": shown, "count": number(more)}
                self.add_error("people", words(len(lines)) % {"lines": shown})


def _nobody(count: int) -> str:
    return ngettext(
        "Nobody active on the roster has this number or address: %(lines)s.",
        "Nobody active on the roster has these numbers or addresses: %(lines)s.",
        count,
    )


def _several(count: int) -> str:
    return ngettext(
        "Several people share this address, give their numbers: %(lines)s.",
        "Several people share these addresses, give their numbers: %(lines)s.",
        count,
    )
