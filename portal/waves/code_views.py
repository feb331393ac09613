"""The pages of a printed code: type it, make a passkey with it, and come in by that passkey from then on.

Nobody is signed in before the passkey is made. The session remembers which code was typed, not the code.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from allauth.mfa.webauthn.forms import LoginWebAuthnForm, SignupWebAuthnForm
from allauth.mfa.webauthn.internal.auth import begin_authentication, begin_registration
from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from portal.people.codes import Bearer, bearer_numbered, bearer_of, set_login_aside
from portal.people.models import BY_CODE, User
from portal.people.session import open_one_door
from portal.waves.code_limits import WINDOW_SECONDS, held_back, note_failure
from portal.waves.entering import enter_by_code, enter_by_passkey
from sso.session import BACKEND

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

_TYPED: Final = "code_typed"
_MINUTES: Final = 15


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Your code"),
        max_length=60,
        help_text=gettext_lazy("Twelve letters and digits, as on your slip. Hyphens and small letters do not matter."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "inputmode": "text"}
        ),
    )


@dataclass(frozen=True, slots=True)
class _Typed:
    """A valid code that was typed in this browser session, and the login that it will open."""

    bearer: Bearer
    user_id: int


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Take a code. One that is unknown, used, withdrawn or too old gets the same answer."""
    form = CodeForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        typed = form.cleaned_data["code"]
        if held_back(request, typed):
            minutes = WINDOW_SECONDS // 60
            form.add_error(
                "code", _("Too many tries. Wait %(minutes)s minutes, then type it again.") % {"minutes": minutes}
            )
            status = 429
        elif bearer := bearer_of(typed):
            _remember(request, bearer)
            return redirect("code_passkey")
        else:
            note_failure(request)
            form.add_error("code", _("This code opens nothing. Compare it with your slip, or ask your HR for another."))
            status = 422
    elif form.is_bound:
        status = 422
    return render(request, "waves/code.html", {"form": form}, status=status)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code_passkey(request: HttpRequest) -> HttpResponse:
    """Make the passkey, on the device of whoever typed the code; it uses the code up and signs in."""
    typed = _typed(request)
    if typed is None:
        messages.info(request, _("Type your code again: it was a while ago, or it has been used."))
        return redirect("code")
    user = User(pk=typed.user_id, username=f"{BY_CODE}{typed.user_id}", name=str(typed.bearer.employee))
    if request.method == "POST":
        form = SignupWebAuthnForm(request.POST, user=user)
        with contextlib.suppress(TypeError, KeyError, ValueError, AttributeError):
            # What is no answer of a device at all makes the library stumble; it is refused like a wrong one.
            if form.is_valid():
                return _come_in(request, typed, form.cleaned_data["credential"])
        messages.error(request, _("Your device did not make the passkey. Try again, or use another device."))
    context = {
        "partner": typed.bearer.organisation,
        "employee": typed.bearer.employee,
        "js_data": {"creation_options": begin_registration(user, passwordless=True)},
    }
    return render(request, "waves/code_passkey.html", context, status=422 if request.method == "POST" else 200)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code_sign_in(request: HttpRequest) -> HttpResponse:
    """Come in by a passkey that a code made. The page's script first asks here what the device is to sign."""
    if request.method != "POST":
        return JsonResponse({"request_options": begin_authentication(user=None)})
    form = LoginWebAuthnForm(request.POST)
    valid = False
    with contextlib.suppress(TypeError, KeyError, ValueError, AttributeError):
        valid = form.is_valid()
    if not valid:
        messages.error(request, _("This passkey opens nothing here. Ask your HR for a new code."))
        return redirect("code")
    authenticator = form.cleaned_data["credential"]
    try:
        organisation = enter_by_passkey(user=authenticator.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("code")
    authenticator.record_usage()
    return _signed_in(request, authenticator.user, organisation)


def _come_in(request: HttpRequest, typed: _Typed, credential: dict[str, Any]) -> HttpResponse:
    organisation = typed.bearer.organisation
    try:
        user = enter_by_code(
            organisation=organisation, code_id=typed.bearer.code_id, user_id=typed.user_id, credential=credential
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("code")
    finally:
        request.session.pop(_TYPED, None)
    messages.success(request, _("Your passkey is made. From now on it opens your course, without a code."))
    return _signed_in(request, user, organisation)


def _signed_in(request: HttpRequest, user: User, organisation: Organisation) -> HttpResponse:
    """Begin a session of this login and this door alone; whoever else was signed in here is signed out first."""
    if request.user.is_authenticated and request.user.pk != user.pk:
        request.session.flush()
    login(request, user, backend=BACKEND)
    open_one_door(request.session, organisation.pk)
    return redirect("learner_home")


def _remember(request: HttpRequest, bearer: Bearer) -> None:
    request.session.cycle_key()
    request.session[_TYPED] = {
        "organisation": bearer.organisation.pk,
        "code": bearer.code_id,
        "user": bearer.user_id or set_login_aside(bearer.organisation),
        "at": timezone.now().timestamp(),
    }


def _typed(request: HttpRequest) -> _Typed | None:
    known = request.session.get(_TYPED)
    if not isinstance(known, dict) or not 0 <= timezone.now().timestamp() - known["at"] < _MINUTES * 60:
        return None
    organisation = Organisation.objects.filter(pk=known["organisation"], active=True).first()
    if organisation is None:
        return None
    with organisation_scope(organisation.pk):
        bearer = bearer_numbered(organisation, known["code"])
    if bearer is None or (bearer.user_id or known["user"]) != known["user"]:
        return None
    return _Typed(bearer, known["user"])
