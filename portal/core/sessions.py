"""Browser sessions in the database, each state written once.

Django writes a new session twice in the request that signs somebody in: when its key changes, and when the answer
leaves. The second time writes the same again, in a transaction of its own.
"""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore as Rows


class SessionStore(Rows):
    _written: tuple[str | None, str] = (None, "")

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  Django's signature.
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # Django's, without a type.
        state = self.session_key, self.serializer().dumps(data).decode("latin-1")
        if must_create or state != self._written:
            super().save(must_create=must_create)
            self._written = state
