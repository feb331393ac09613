"""The form of a wave: whom, when, how fast, in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.organisations.models import Language

if TYPE_CHECKING:
    import datetime as dt

    from portal.organisations.models import Organisation
    from portal.waves.models import Wave

_LOCAL = "%Y-%m-%dT%H:%M"
_LANGUAGES = tuple(Language.values)


class WaveForm(forms.Form):
    """Times are those of the organisation's clock. `choices()` is what the services take."""

    name = forms.CharField(label=_("Name"), max_length=150, help_text=_("Only you see it: “Paris, first wave”."))
    sites = forms.MultipleChoiceField(
        label=_("Sites"), required=False, help_text=_("None chosen means all of them."), choices=()
    )
    starts_at = forms.DateTimeField(
        label=_("First mail"),
        input_formats=[_LOCAL],
        widget=forms.DateTimeInput(format=_LOCAL, attrs={"type": "datetime-local"}),
        help_text=_("On your organisation's clock. Nothing leaves before the time to think it over has passed."),
    )
    per_hour = forms.IntegerField(label=_("Mails an hour, at most"), min_value=1, max_value=50_000, initial=2_000)
    first_hour = forms.IntegerField(label=_("From this hour of the day"), min_value=0, max_value=23, initial=8)
    last_hour = forms.IntegerField(label=_("To this hour"), min_value=1, max_value=24, initial=18)
    weekends = forms.BooleanField(label=_("On Saturdays and Sundays too"), required=False)
    reminders = forms.IntegerField(
        label=_("Reminders, at most"),
        min_value=0,
        max_value=5,
        initial=2,
        help_text=_("Only to those who have not begun."),
    )
    reminder_days = forms.IntegerField(label=_("Days between them"), min_value=2, max_value=60, initial=7)
    subject_fr = forms.CharField(label=_("Subject in French"), max_length=150, required=False)
    body_fr = forms.CharField(
        label=_("Your words in French"),
        max_length=3_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("They stand above the link. Left empty, ours are used."),
    )
    subject_en = forms.CharField(label=_("Subject in English"), max_length=150, required=False)
    body_en = forms.CharField(
        label=_("Your words in English"), max_length=3_000, required=False, widget=forms.Textarea(attrs={"rows": 5})
    )

    def __init__(self, *args: Any, organisation: Organisation, sites: list[str], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._zone = ZoneInfo(organisation.time_zone)
        field = self.fields["sites"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(site, site) for site in sites]
        field.widget.attrs["size"] = min(max(len(sites), 2), 10)

    def clean_starts_at(self) -> dt.datetime:
        """What was typed is a time on the organisation's wall, whatever the portal's own zone."""
        typed: dt.datetime = self.cleaned_data["starts_at"]
        return timezone.make_naive(typed).replace(tzinfo=self._zone)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first_hour"), cleaned.get("last_hour")
        if first is not None and last is not None and first >= last:
            self.add_error("last_hour", _("The day would end before it begins."))
        return cleaned

    def choices(self) -> dict[str, Any]:
        plain = {name: value for name, value in self.cleaned_data.items() if not name.startswith(("subject", "body"))}
        return {
            **plain,
            "subjects": self._words("subject"),
            "bodies": self._words("body"),
        }

    def _words(self, kind: str) -> dict[str, str]:
        return {code: text for code in _LANGUAGES if (text := self.cleaned_data[f"{kind}_{code}"].strip())}


def initial_of(wave: Wave, organisation: Organisation) -> dict[str, Any]:
    """Return a draft as its form shows it."""
    same = ("name", "sites", "per_hour", "first_hour", "last_hour", "weekends", "reminders", "reminder_days")
    words = {
        f"{kind}_{code}": given.get(code, "")
        for kind, given in (("subject", wave.subjects), ("body", wave.bodies))
        for code in _LANGUAGES
    }
    local = wave.starts_at.astimezone(ZoneInfo(organisation.time_zone)).replace(tzinfo=None)
    return {**{name: getattr(wave, name) for name in same}, **words, "starts_at": local}
