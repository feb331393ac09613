"""The domains of which nobody may say that they are theirs: public suffixes, and providers of mail for everyone."""

from __future__ import annotations

from functools import cache
from typing import Final

from publicsuffixlist import PublicSuffixList

# Brands that offer mail under many endings: hotmail.fr, hotmail.co.uk…
_BRANDS: Final = (
    "gmail googlemail hotmail outlook live msn windowslive passport yahoo ymail rocketmail aol aim gmx yandex icloud"
    " protonmail proton tutanota tuta zoho zohomail fastmail hushmail mailfence posteo"
)
_PROVIDERS: Final = (
    "me.com mac.com pm.me web.de mail.com email.com mail.ru bk.ru list.ru inbox.ru rambler.ru ya.ru qq.com 163.com"
    " 126.com sina.com naver.com daum.net hanmail.net t-online.de freenet.de arcor.de libero.it virgilio.it alice.it"
    " tiscali.it tin.it terra.es telefonica.net bluewin.ch skynet.be telenet.be btinternet.com sky.com comcast.net"
    " verizon.net att.net sbcglobal.net cox.net charter.net earthlink.net hey.com duck.com mozmail.com usa.net"
    # France: the post's and the operators' mail for the public is not their employees'.
    " laposte.net orange.fr wanadoo.fr free.fr sfr.fr neuf.fr bbox.fr numericable.fr numericable.com aliceadsl.fr"
    " alice.fr club-internet.fr voila.fr cegetel.net noos.fr 9online.fr 9business.fr libertysurf.fr infonie.fr"
    " tele2.fr dartybox.com caramail.com caramail.fr netcourrier.com mailo.com nordnet.fr ozone.net hotmal.fr"
    # Addresses for a moment.
    " yopmail.com yopmail.fr mailinator.com guerrillamail.com 10minutemail.com temp-mail.org trashmail.com"
)


@cache
def _suffixes() -> PublicSuffixList:
    """Read the list that the library carries: nothing is fetched."""
    return PublicSuffixList()


def registrable_domain(domain: str) -> str:
    """Return the part of a domain that somebody registers, or "" for a public suffix."""
    return _suffixes().privatesuffix(domain) or ""


def is_public_mail(domain: str) -> bool:
    """Whether anybody may have an address there, or below."""
    registered = registrable_domain(domain)
    return registered in _PROVIDERS.split() or registered.partition(".")[0] in _BRANDS.split()
