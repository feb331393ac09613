"""What an owner fills in: whom to look for, which role, and the organisation's own settings."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.people.models import Membership


class MemberSearch(forms.Form):
    q = forms.CharField(
        label=_("Name, e-mail or employee number"),
        help_text=_("Only people who have already signed in here can be given a role."),
        max_length=254,
        min_length=2,
    )


class RoleForm(forms.Form):
    user = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    # No role stands first: the highest would be given by a hasty press.
    role = forms.ChoiceField(label=_("Role"), choices=[("", _("Choose a role")), *Membership.Role.choices])


class SettingsForm(forms.Form):
    """The bounds keep both safeguards alive: an owner adjusts them and cannot switch them off."""

    support_contact = forms.CharField(
        label=_("Whom your employees ask for help"),
        help_text=_("An address, a telephone number or a page; shown to your employees when signing in fails."),
        max_length=200,
        required=False,
    )
    departure_percent = forms.IntegerField(
        label=_("Share of the roster (%) whose departure holds an import"),
        help_text=_("A second person then has to approve it."),
        min_value=1,
        max_value=50,
    )
    departure_floor = forms.IntegerField(
        label=_("… and at least this number of people"),
        help_text=_("So that a small team does not wait for every departure."),
        min_value=1,
        max_value=1_000,
    )
    small_group = forms.IntegerField(
        label=_("Reports hide groups smaller than"),
        help_text=_("So that nobody can be recognised in a count."),
        min_value=5,
        max_value=100,
    )
