"""Every action that the audit can hold. Grammar: subject:object:verb, where the subject is the part of the product."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    ORGANISATION_CREATED = "organisations:organisation:create"
    SETTINGS_CHANGED = "organisations:settings:change"

    USER_CREATED = "people:user:create"
    ROLE_GRANTED = "people:membership:grant"
    ROLE_WITHDRAWN = "people:membership:withdraw"
    SUPPORT_OPENED = "people:support:open"
    SUPPORT_CLOSED = "people:support:close"
    EMPLOYEE_EDITED = "people:employee:edit"
    EMPLOYEE_SEEN = "people:employee:see"
    EMPLOYEE_LINKED = "people:employee:link"

    PROGRAMME_CONFIGURED = "cohorts:programme:configure"
    COHORT_CREATED = "cohorts:cohort:create"

    CONNECTION_CREATED = "sso:connection:create"
    CONNECTION_CHANGED = "sso:connection:change"
    CONNECTION_TESTED = "sso:connection:test"
    CONNECTION_ACTIVATED = "sso:connection:activate"
    PERSON_SIGNED_IN = "sso:person:sign-in"
    FIRST_SIGN_IN = "sso:person:first-sign-in"

    IMPORT_OPENED = "imports:import:open"
    IMPORT_PREPARED = "imports:import:prepare"
    IMPORT_CONFIRMED = "imports:import:confirm"
    IMPORT_APPROVED = "imports:import:approve"
    IMPORT_APPLIED = "imports:import:apply"
    IMPORT_CANCELLED = "imports:import:cancel"
    IMPORT_FAILED = "imports:import:fail"
    IMPORT_UNDO_ASKED = "imports:import:take-back"
    IMPORT_UNDONE = "imports:import:undo"
    IMPORT_READING_ACCEPTED = "imports:reading:accept"
    IMPORT_READING_CHOSEN = "imports:reading:choose"
    IMPORT_ROW_CORRECTED = "imports:row:correct"
    IMPORT_CORRECTIONS_BROUGHT = "imports:corrections:bring"
    IMPORT_TWINS_SAID = "imports:twins:say"
    IMPORT_SITES_NAMED = "imports:sites:name"
    IMPORT_EDITS_CHOSEN = "imports:edits:choose"
    IMPORT_FILE_TAKEN = "imports:file:take"
    IMPORT_PURGED = "imports:import:purge"

    COMPLETIONS_RECORDED = "progress:completions:record"
    ROLLUPS_REBUILT = "progress:rollups:rebuild"

    REPORT_EXPORTED = "reports:report:export"

    TOKEN_CREATED = "api:token:create"  # noqa: S105  An action, not a secret.
