"""Browser sessions in the database, each state written once, by one statement.

Django writes a new session twice in the request that signs somebody in: when its key changes, and again the same when
the answer leaves, in a transaction of its own. Before, it looks whether the key is free, which the insert tells anyway.
"""

from __future__ import annotations

import secrets

from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.backends.db import SessionStore as Rows
from django.db import connection


class SessionStore(Rows):
    _written: tuple[str | None, str] = (None, "")

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  Django's signature.
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # Django's, without a type.
        state = self.session_key, self.serializer().dumps(data).decode("latin-1")
        if must_create:
            self._insert(data)
        elif state != self._written:
            super().save()
        self._written = state

    def _get_new_session_key(self) -> str:
        return secrets.token_hex(16)

    def _insert(self, data: dict[str, object]) -> None:
        """Write a new session; a key that exists is told apart without an error, which would break a transaction.

        Raises:
            CreateError: the key exists; `create` tries another.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (%s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                [self.session_key, self.encode(data), self.get_expiry_date()],
            )
            if cursor.rowcount != 1:
                raise CreateError
