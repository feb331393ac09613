"""Sign-in by password, for the programme's people and the owners who keep a way in when the company sign-in fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ResetPasswordForm

from portal.people.session import open_every_door

if TYPE_CHECKING:
    from django.http import HttpRequest

    from portal.people.models import User


class StaffSignIn(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped.
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  allauth's signature.
        """Accounts are created by the operator or by an invitation, never by a visitor."""
        return False

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
