"""What visitors and HR type into the pages that look across every app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from portal.dashboards.selectors import ACTIVE, ALL, INACTIVE
from portal.organisations.models import Language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.people.models import Employee

_LISTED_SITES = 200
NO_FILTER = {"text": "", "site": "", "state": ACTIVE}


class DoorForm(forms.Form):
    key = forms.CharField(
        label=_("Your work e-mail, or your company’s name or code"),
        help_text=_("We only look at what follows the @, to find your organisation’s sign-in page."),
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false", "inputmode": "email"}
        ),
    )


class PrivateAddressForm(forms.Form):
    address = forms.EmailField(
        label=_("Your private e-mail address"),
        help_text=_("One that stays yours when you change jobs. No employer ever sees it."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}),
    )


class LostCertificateForm(PrivateAddressForm):
    """The address was confirmed before; any other one is answered in the same way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's arguments.
        super().__init__(*args, **kwargs)
        self.fields["address"].help_text = _("The one that you attached and confirmed while you were at your job.")


class SupportForm(forms.Form):
    reason = forms.CharField(
        label=_("Why do you need to go in?"),
        help_text=_("The organisation reads this reason, and who gave it."),
        max_length=200,
    )


class RosterFilter(forms.Form):
    """The site is chosen from a list, or typed exactly where the list would be too long to read."""

    q = forms.CharField(
        label=_("Name, employee number or e-mail"), max_length=254, required=False, widget=forms.SearchInput
    )
    state = forms.ChoiceField(
        label=_("Who"),
        required=False,
        choices=[(ACTIVE, _("On the roster")), (INACTIVE, _("Inactive")), (ALL, _("Everyone"))],
    )

    def __init__(self, *args: Any, sites: Sequence[str], **kwargs: Any) -> None:  # noqa: ANN401  Django's arguments.
        super().__init__(*args, **kwargs)
        every = [("", _("Every site")), *((site, site) for site in sites)]
        self.fields["site"] = (
            forms.ChoiceField(label=_("Site"), required=False, choices=every)
            if len(sites) <= _LISTED_SITES
            else forms.CharField(label=_("Site"), required=False, max_length=150, help_text=_("Its exact name."))
        )

    def wanted(self) -> dict[str, str]:
        """Return what is asked for; a filter that does not exist asks for nothing."""
        if not self.is_valid():
            return NO_FILTER
        data = self.cleaned_data
        return {"text": data["q"], "site": data["site"], "state": data["state"] or ACTIVE}


class EmployeeForm(forms.Form):
    """A person edited by hand. `edited` are the fields that files no longer change, which the help says."""

    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    employee_number = forms.CharField(label=_("Employee number"), max_length=64, required=False)
    email = forms.EmailField(label=_("E-mail"), max_length=254, required=False)
    site = forms.CharField(label=_("Site"), max_length=150, required=False)
    department = forms.CharField(label=_("Department"), max_length=150, required=False)
    manager_email = forms.EmailField(label=_("Manager’s e-mail"), max_length=254, required=False)
    language = forms.ChoiceField(label=_("Language"), required=False, choices=[("", "–"), *Language.choices])
    hired_on = forms.DateField(label=_("Hired on"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    left_on = forms.DateField(label=_("Left on"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    active = forms.BooleanField(
        label=_("Active"),
        help_text=_("An inactive person can no longer sign in; their enrolments and certificates stay."),
        required=False,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, employee: Employee, own: bool = False) -> None:
        super().__init__(data, initial={name: getattr(employee, name) for name in self.base_fields})
        self._own = own
        for name in ("hired_on", "left_on"):
            # A date control reads and writes ISO dates whatever the language.
            self.fields[name].widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        for name in employee.edited:
            if name in self.fields:
                self.fields[name].help_text = _("Changed by hand: files no longer change it.")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean_manager_email(self) -> str:
        return str(self.cleaned_data["manager_email"]).lower()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "email" in data and "employee_number" in data and not (data["email"] or data["employee_number"]):
            self.add_error(None, _t("A person needs an employee number or an e-mail address."))
        if data.get("active") and data.get("left_on") and data["left_on"] < timezone.localdate():
            self.add_error("left_on", _t("Somebody who has left is inactive: correct this date, or untick “Active”."))
        if self._own and not data.get("active"):
            self.add_error("active", _t("This is you: making yourself inactive would end your own access."))
        return data
