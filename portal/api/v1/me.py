"""Who is signed in, for the organisation of this session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response

from portal.api.authentication import PersonAuthentication
from portal.api.v1.operations import Operation
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from portal.people.models import Employee, Membership, StaffRole, User
from portal.people.selectors import affiliation_of
from portal.people.session import doors_used, organisations_with_a_role

if TYPE_CHECKING:
    from rest_framework.request import Request

LEARNER = "learner"


class ReadMe(Operation):
    """The person, and what they are in the organisation through whose door they came.

    Of several doors used in one session it is the organisation that the portal has known longest: the session
    remembers which doors were used, not which of them last.
    """

    authentication_classes = (PersonAuthentication,)

    @extend_schema_serializer(component_name="Me")
    class OutputSerializer(serializers.Serializer[Any]):
        name = serializers.CharField()
        email = serializers.CharField()
        organisation = serializers.CharField(help_text="Empty for those who belong to none.")
        employee_number = serializers.CharField()
        roles = serializers.ListField(child=serializers.CharField())

    @extend_schema(operation_id="read_me", responses=OutputSerializer)
    def get(self, request: Request) -> Response:
        user = request.user
        assert isinstance(user, User)
        organisation = _organisation_of_session(request, user)
        number, roles = _standing(organisation, user) if organisation else ("", [])
        if user.staff_role != StaffRole.NONE:
            roles = [*roles, user.staff_role]
        return Response(
            {
                "name": user.name,
                "email": user.email,
                "organisation": organisation.slug if organisation else "",
                "employee_number": number,
                "roles": roles,
            }
        )


def _organisation_of_session(request: Request, user: User) -> Organisation | None:
    doors = doors_used(request._request) or organisations_with_a_role(request._request, user)  # noqa: SLF001  DRF's name.
    return Organisation.objects.filter(pk__in=doors[:1], active=True).first()


def _standing(organisation: Organisation, user: User) -> tuple[str, list[str]]:
    """Return the employee number and the roles here."""
    affiliation = affiliation_of(organisation, user)
    with organisation_scope(organisation.pk):
        memberships = Membership.objects.filter(organisation_id=organisation.pk, user=user)
        roles = list(memberships.values_list("role", flat=True))
        number = ""
        if affiliation and affiliation.employee_id:
            employees = Employee.objects.filter(organisation_id=organisation.pk, pk=affiliation.employee_id)
            number = employees.values_list("employee_number", flat=True).first() or ""
    return number, [*roles, LEARNER] if affiliation else roles
