"""Sign-in by password, for the programme's people and the owners who keep a way in when the company sign-in fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ResetPasswordForm
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.people.models import BY_CODE
from portal.people.session import open_every_door

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from portal.people.models import User


class StaffSignIn(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped.
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  allauth's signature.
        """Accounts are created by the operator or by an invitation, never by a visitor."""
        return False

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:  # noqa: ANN401
        """Let in only the accounts that were made with a password; the others have their company's door.

        Otherwise a person who was let in once by a company could give themselves a password or a passkey, and come
        back when the company no longer lets them in.
        """
        if user.username.startswith(BY_CODE):
            messages.info(request, _("This passkey was made with a printed code: it opens here."))
            return redirect("code")
        if "@" not in user.username:
            messages.error(request, _("This account signs in through its company."))
            return redirect("front_door")
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return answer

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        open_every_door(request.session)


class StaffPasswordReset(ResetPasswordForm):  # type: ignore[misc]  # allauth is untyped.
    def clean_email(self) -> str:
        """Only an account that is named by this address and has a password may get a new one.

        `User.email` of the others is what a partner's identity provider said: a password sent there would open a
        second way into an account that the partner does not own.
        """
        email: str = super().clean_email()
        self.users: list[User] = [user for user in self.users if user.username == email and user.has_usable_password()]
        return email
