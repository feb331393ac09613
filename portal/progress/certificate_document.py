"""A certificate on paper: one page in the reader's language, with the address at which anybody can check it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.core.templatetags.ui import day, in_french
from portal.core.typesetting import qr_picture, typeset
from portal.progress.certificates import code_shown

if TYPE_CHECKING:
    from portal.progress.models import Certificate

BRAND: Final = "Objectif IA"
LINK_DAYS: Final = 7
_SEAL_FOR: Final = "certificate-pdf"


def certificate_pdf(certificate: Certificate) -> bytes:
    """Return the PDF (PDF/UA-1). It names the person, the programme and the day, and never an employer."""
    url = check_url(certificate.code)
    words = {
        "lang": (get_language() or "fr")[:2],
        "title": _("Certificate of %(programme)s") % {"programme": programme_name(certificate)},
        "author": BRAND,
        "brand": BRAND,
        "heading": _("Certificate of achievement"),
        "intro": _("This is to certify that"),
        "holder": holder_shown(certificate),
        "achieved": _("has completed and passed the course"),
        "programme": programme_name(certificate),
        "dated": _("on %(day)s") % {"day": day(certificate.certified_at)},
        "check": _("Check this certificate at"),
        "url": url,
        "code_label": _("Code"),
        "code": code_shown(certificate.code),
        "qr": qr_picture(url),
        "qr_alt": _("QR code that leads to %(url)s") % {"url": url},
        "note": _("It belongs to the person, whoever employs them. Its page says whether it is still valid."),
    }
    return typeset("progress/certificate.typ", words, at=certificate.certified_at)


def file_name(certificate: Certificate) -> str:
    """Name the file by its code: a name does not belong where files are listed."""
    return _("certificate-%(code)s.pdf") % {"code": certificate.code}


def check_url(code: str) -> str:
    return settings.BASE_URL + reverse("certificate_check", args=[code])


def programme_name(certificate: Certificate) -> str:
    return certificate.programme.name_fr if in_french() else certificate.programme.name_en


def holder_shown(certificate: Certificate) -> str:
    return certificate.holder or _("the holder of this certificate")


def sealed_path(code: str) -> str:
    """Return the path of the PDF for whoever was sent it: it opens for seven days, signed in or not."""
    seal = signing.TimestampSigner(salt=_SEAL_FOR).sign(code).removeprefix(f"{code}:")
    return reverse("certificate_pdf", args=[code, seal])


def seal_holds(code: str, seal: str) -> bool:
    try:
        signing.TimestampSigner(salt=_SEAL_FOR).unsign(f"{code}:{seal}", max_age=LINK_DAYS * 86_400)
    except signing.BadSignature:
        return False
    return True
