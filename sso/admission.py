"""How a request of the protocol finds its organisation: by the opaque id in its address, and by nothing in it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.views.decorators.cache import never_cache

from portal.core.limits import Limit
from portal.core.tenancy import organisation_scope
from portal.organisations.models import DoorKind
from portal.organisations.selectors import organisations_behind
from sso.models import Connection
from sso.saml.errors import SAMLError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

MOST_FAILURES: Final = 120
_FAILURES: Final = Limit("sso-failures", MOST_FAILURES, seconds=60)


def connection_page(
    view: Callable[[HttpRequest, Connection], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Open the scope of the organisation behind the id; an unknown id and a closed organisation are both 404.

    The door says only whose the id is: the connection is read again inside the scope, where another organisation's
    does not exist.
    """

    @login_not_required
    @never_cache
    @wraps(view)
    def admitted(request: HttpRequest, connection: UUID) -> HttpResponse:
        with _connection(connection) as known:
            return view(request, known)

    return admitted


def protocol_page(
    refused: Callable[[HttpRequest, Connection, SAMLError], HttpResponse],
) -> Callable[[Callable[[HttpRequest, Connection], HttpResponse]], Callable[..., HttpResponse]]:
    """Open the scope as `connection_page`, and let `refused` answer when the view raises a SAMLError.

    The whole transaction of the view is undone first, so that it needs no savepoint: a message that is refused uses
    nothing up. The refusal is recorded in a transaction of its own.
    """

    def decorate(view: Callable[[HttpRequest, Connection], HttpResponse]) -> Callable[..., HttpResponse]:
        @login_not_required
        @never_cache
        @wraps(view)
        def admitted(request: HttpRequest, connection: UUID) -> HttpResponse:
            try:
                with _connection(connection) as known:
                    return view(request, known)
            except SAMLError as error:
                with _connection(connection) as known:
                    return refused(request, known, error)

        return admitted

    return decorate


@contextmanager
def _connection(public_id: UUID) -> Iterator[Connection]:
    behind = organisations_behind(DoorKind.CONNECTION, str(public_id))
    if not behind:
        raise Http404
    with organisation_scope(behind[0]):
        known = Connection.objects.select_related("organisation").filter(public_id=public_id).first()
        if known is None:
            raise Http404
        yield known


def too_many_failures(request: HttpRequest, connection: Connection) -> bool:
    """Say whether this address has posted rubbish to this connection for a while.

    Only failures count: a whole company may come through one address on a Monday morning.
    """
    return _FAILURES.reached(_source(request, connection))


def count_failure(request: HttpRequest, connection: Connection) -> None:
    _FAILURES.count(_source(request, connection))


def _source(request: HttpRequest, connection: Connection) -> str:
    return f"{connection.pk}:{client_address(request)}"


def client_address(request: HttpRequest) -> str:
    """Return whom our own proxy saw: its entry is the last one, those before are the visitor's word."""
    behind_proxy = getattr(settings, "SECURE_PROXY_SSL_HEADER", None)
    forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "") if behind_proxy else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
