"""The one page on which a person says that two accounts are both theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.core.errors import Refusal
from sso.joining import join_accounts, pair_to_join
from sso.memory import forget_sign_ins, remembered
from sso.session import continue_as

if TYPE_CHECKING:
    from django.http import HttpResponse

    from portal.core.http import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: SignedInRequest) -> HttpResponse:
    """Lay the two sign-ins side by side; nothing happens without the button, and a "no" forgets them."""
    known = remembered(request)
    if request.method != "POST":
        return render(request, "sso/join.html", {"pair": pair_to_join(known)})
    if request.POST.get("answer") != "join":
        forget_sign_ins(request.session)
        messages.info(request, _("The two accounts stay apart."))
        return redirect("/me/")
    pair = pair_to_join(known)
    try:
        user = join_accounts(known=known)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("join")
    continue_as(request, user)
    forget_sign_ins(request.session)
    context = {
        "partner": pair.there.organisation if pair else None,
        # Its door opens by its own sign-in, as ever: what ends that session ends what it opened here.
        "open": reverse("sso_login", args=[pair.there.signed_in.connection]) if pair else "",
    }
    return render(request, "sso/joined.html", context)
