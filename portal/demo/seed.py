"""The demo's data, made by the same services as real data: nothing here writes a table.

It may run again: what is there stays, and what follows the demo's addresses (the identity provider's, the list of
accounts) is brought up to date.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from imports.runs import prepare_import, run_apply
from imports.services import confirm_import, open_import
from portal.cohorts.models import DEFAULT_PROGRAMME
from portal.cohorts.services import configure_programme, create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.demo.identity_provider import COURSE_PATH, USERS_FILE, Directory
from portal.demo.invented import csv_of, invent_facts, workbook_of
from portal.demo.stage import ACCOUNT_MANAGER, PASSWORD, SCENES
from portal.organisations.models import Organisation
from portal.organisations.services import change_settings, create_organisation
from portal.people.models import Membership, StaffRole
from portal.people.services import create_user, grant_role
from portal.progress.services import catch_up, record_completions
from sso.connecting import connect_idp, replace_metadata
from sso.models import Connection
from sso.saml.issuing import read_request
from sso.services import answer_sign_in, begin_sign_in, complete_login

if TYPE_CHECKING:
    from pathlib import Path

    from portal.demo.invented import Person
    from portal.demo.stage import Scene
    from portal.people.models import User

_WAVES = {
    "Vague 1": (date(2026, 9, 14), date(2026, 11, 13)),
    "Vague 2": (date(2026, 10, 12), date(2026, 12, 11)),
    "Vague 3": (date(2026, 11, 9), date(2027, 1, 29)),
    "Autumn 2026": (date(2026, 10, 5), date(2026, 12, 18)),
}


def seed() -> None:
    """Make the demo's organisations where they are missing, and write down who can sign in."""
    folder = settings.DEMO_DIRECTORY
    directory = Directory(folder / "identity-provider", settings.DEMO_IDP_URL)
    _write_users(folder / "identity-provider" / USERS_FILE)
    create_user(
        actor=OPERATOR,
        email=ACCOUNT_MANAGER[0],
        name=ACCOUNT_MANAGER[1],
        role=StaffRole.ACCOUNT_MANAGER,
        password=PASSWORD,
    )
    configure_programme(actor=OPERATOR, code=DEFAULT_PROGRAMME, launch_url=f"{settings.DEMO_IDP_URL}{COURSE_PATH}")
    for scene in SCENES:
        if Organisation.objects.filter(slug=scene.slug).exists():
            _follow_the_identity_provider(scene, directory)
        else:
            _play(scene, directory)
    _write_accounts(folder / "demo")


def _play(scene: Scene, directory: Directory) -> None:
    """The main job, once: connect, upload, apply, sign in, take part."""
    organisation = create_organisation(actor=OPERATOR, slug=scene.slug, name=scene.name, domains=[scene.place.domain])
    create_user(
        actor=OPERATOR,
        email=scene.owner[0],
        name=scene.owner[1],
        role=Membership.Role.OWNER,
        organisation=organisation,
        password=PASSWORD,
    )
    with organisation_scope(organisation.pk):
        change_settings(
            actor=OPERATOR,
            organisation=organisation,
            changes={"support_contact": scene.support_contact, "accent": scene.accent},
        )
        connection = connect_idp(
            actor=OPERATOR,
            organisation=organisation,
            metadata_xml=directory.metadata(scene.slug),
            activate=True,
        )
        for name in scene.pace:
            starts_on, ends_on = _WAVES[name]
            create_cohort(actor=OPERATOR, organisation=organisation, name=name, starts_on=starts_on, ends_on=ends_on)
    _import_roster(scene, organisation)
    for named, person in scene.stars:
        user = _sign_in(connection, directory, scene, person)
        if named.role:
            with organisation_scope(organisation.pk):
                grant_role(actor=OPERATOR, organisation=organisation, user=user, role=named.role)
    facts = invent_facts(scene.slug, scene.people, pace=scene.pace, until=timezone.now(), seed=scene.place.seed)
    record_completions(actor=OPERATOR, events=enumerate(facts, start=1))
    catch_up(actor=OPERATOR, organisation=organisation)


def _import_roster(scene: Scene, organisation: Organisation) -> None:
    """Upload and apply the roster, then upload the next one and leave it for HR to review."""
    _run_import(organisation, f"Effectif_octobre_{scene.slug}", scene.people, apply=True)
    _run_import(organisation, f"Effectif_novembre_{scene.slug}", _a_month_later(scene.people), apply=False)


def _run_import(organisation: Organisation, name: str, people: list[Person], *, apply: bool) -> None:
    french = organisation.slug == "laposte"
    content, ending = (workbook_of(people), "xlsx") if french else (csv_of(people), "csv")
    with organisation_scope(organisation.pk):
        opened = open_import(
            actor=OPERATOR, organisation=organisation, file=BytesIO(content), file_name=f"{name}.{ending}"
        )
    prepare_import(actor=OPERATOR, organisation=organisation, import_id=opened.pk)
    if apply:
        with organisation_scope(organisation.pk):
            confirm_import(actor=OPERATOR, organisation=organisation, import_id=opened.pk)
        run_apply(actor=OPERATOR, organisation=organisation, import_id=opened.pk)


def _a_month_later(people: list[Person]) -> list[Person]:
    """Return the same roster with movers, a newcomer's mistyped address and a few arrivals: something to review."""
    later = list(people)
    for index in range(40, len(later), 97):
        later[index] = replace(later[index], site=people[index - 1].site)
    newcomers = [
        replace(person, number=f"{person.number[:-1]}3", email=f"nouveau.{person.email}" if person.email else "")
        for person in people[60 : len(people) : 211]
    ]
    newcomers[0] = replace(newcomers[0], email="luc.bernard(at)example")
    return later + newcomers


def _sign_in(connection: Connection, directory: Directory, scene: Scene, person: Person) -> User:
    """Sign somebody in as their browser would: request, signed answer, ticket, login."""
    nonce = secrets.token_urlsafe()
    account = directory.account(scene.slug, person.email, PASSWORD)
    assert account is not None, "The demo's identity provider knows everyone in the story."
    with organisation_scope(connection.organisation_id):
        sent = begin_sign_in(connection=connection, nonce=nonce)
        request = read_request(parse_qs(urlsplit(sent.url).query)["SAMLRequest"][0], deflated=True)
        answer = directory.response(scene.slug, request, account)
        ticket = answer_sign_in(connection=connection, saml_response=answer, request_id=request.request_id)
        return complete_login(connection=connection, ticket=ticket.code, nonce=nonce).user


def _follow_the_identity_provider(scene: Scene, directory: Directory) -> None:
    """The demo may have moved to another port: people keep signing in."""
    organisation = Organisation.objects.get(slug=scene.slug)
    with organisation_scope(organisation.pk):
        replace_metadata(
            actor=OPERATOR,
            organisation=organisation,
            connection=Connection.objects.get(organisation_id=organisation.pk),
            untested=True,
            metadata_xml=directory.metadata(scene.slug),
        )


def _write_users(path: Path) -> None:
    """Tell the identity provider who works where; it reads the file again when it changes."""
    users = {
        scene.slug: [
            {
                "login": person.email,
                "password": PASSWORD,
                "name_id": f"{scene.slug}-{person.number}",
                "attributes": {
                    "employeeNumber": [person.number],
                    "mail": [person.email],
                    "givenName": [person.first_name],
                    "sn": [person.last_name],
                },
            }
            for person in scene.people
            if person.email
        ]
        for scene in SCENES
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**users, **{name: kept[name] for name in kept if name not in users}}), encoding="utf-8")


def _accounts() -> list[dict[str, str]]:
    accounts = [_staff(ACCOUNT_MANAGER, "account_manager", "")]
    for scene in SCENES:
        accounts.append(_staff(scene.owner, Membership.Role.OWNER, scene.name))
        login_url = _login_url(scene)
        accounts += [
            {
                "who": f"{named.first_name} {named.last_name}",
                "role": named.role or "employee",
                "organisation": scene.name,
                "login": person.email,
                "password": PASSWORD,
                "url": login_url,
                "how": "company",
            }
            for named, person in scene.stars
        ]
    return accounts


def _staff(account: tuple[str, str], role: str, organisation: str) -> dict[str, str]:
    email, name = account
    url = f"{settings.BASE_URL}{reverse('account_login')}"
    return {
        "who": name,
        "role": role,
        "organisation": organisation,
        "login": email,
        "password": PASSWORD,
        "url": url,
        "how": "password",
    }


def _login_url(scene: Scene) -> str:
    organisation = Organisation.objects.get(slug=scene.slug)
    with organisation_scope(organisation.pk):
        connection = Connection.objects.get(organisation_id=organisation.pk)
    return f"{settings.BASE_URL}{reverse('sso_login', args=[connection.public_id])}"


def _write_accounts(folder: Path) -> None:
    """Leave the accounts for the first page (JSON) and for the terminal (text)."""
    folder.mkdir(parents=True, exist_ok=True)
    accounts = _accounts()
    (folder / "accounts.json").write_text(json.dumps(accounts, ensure_ascii=False), encoding="utf-8")
    lines = [
        f"  {account['who']:<18} {account['role']:<16} {account['organisation']:<9} {account['login']}\n"
        f"  {'':<18} {account['url']}"
        for account in accounts
    ]
    text = "\n".join(["Who can sign in (the password of all is " + PASSWORD + "):", *lines])
    (folder / "accounts.txt").write_text(text + "\n", encoding="utf-8")
