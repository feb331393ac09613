"""What an owner fills in about the life of a connection: an address to read from, a day for a new key."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.utils.translation import gettext_lazy as _

_MORNING: Final = dt.time(6)


class FollowForm(forms.Form):
    url = forms.CharField(
        label=_("Address of the metadata"),
        help_text=_("https://… It is read once a day. Leave it empty to read nothing."),
        max_length=1024,
        required=False,
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class DayForm(forms.Form):
    day = forms.DateField(
        label=_("Day on which the portal begins to sign with the new key"),
        help_text=_("Your IT takes the new certificate in before it; thirty days leave time for it."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def moment(self, time_zone: str) -> dt.datetime:
        """Return the early morning of that day where the organisation is: somebody is at work when it shows."""
        try:
            zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            zone = ZoneInfo("Europe/Paris")
        return dt.datetime.combine(self.cleaned_data["day"], _MORNING, zone)
