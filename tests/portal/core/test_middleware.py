from __future__ import annotations

from django.http import HttpResponse
from django.test import RequestFactory

from portal.core.errors import Refusal
from portal.core.middleware import RefusalPages


def test_a_refusal_becomes_a_page_with_its_sentence() -> None:
    pages = RefusalPages(lambda _: HttpResponse())
    request = RequestFactory().get("/")
    answer = pages.process_exception(request, Refusal("not_ready", "Nothing is ready <yet>."))
    assert answer is not None
    assert answer.status_code == 409
    assert "Nothing is ready &lt;yet&gt;." in answer.content.decode()
    assert pages.process_exception(request, ValueError()) is None
