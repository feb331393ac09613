"""Every action that the audit can hold. Grammar: subject:object:verb, where the subject is the part of the product."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    ORGANISATION_CREATED = "organisations:organisation:create"
    SETTINGS_CHANGED = "organisations:settings:change"
    SETUP_LINK_CREATED = "organisations:setup-link:create"
    SETUP_LINK_REVOKED = "organisations:setup-link:revoke"
    DOMAIN_CLAIMED = "organisations:domain:claim"
    DOMAIN_VERIFIED = "organisations:domain:verify"
    DOMAIN_LOST = "organisations:domain:lose"
    DOMAIN_REMOVED = "organisations:domain:remove"
    SIGN_IN_ENFORCED = "organisations:sign-in:enforce"
    SIGN_IN_RELEASED = "organisations:sign-in:release"

    USER_CREATED = "people:user:create"
    ROLE_GRANTED = "people:membership:grant"
    ROLE_WITHDRAWN = "people:membership:withdraw"
    SUPPORT_OPENED = "people:support:open"
    SUPPORT_CLOSED = "people:support:close"
    BREAK_GLASS_GIVEN = "people:break-glass:give"
    BREAK_GLASS_TAKEN = "people:break-glass:take"
    BREAK_GLASS_USED = "people:break-glass:use"
    EMPLOYEE_EDITED = "people:employee:edit"
    EMPLOYEE_SEEN = "people:employee:see"
    EMPLOYEE_LINKED = "people:employee:link"
    EMPLOYEE_UNLINKED = "people:employee:unlink"

    PRIVATE_ADDRESS_ASKED = "people:private-address:ask"
    PRIVATE_ADDRESS_CONFIRMED = "people:private-address:confirm"
    PRIVATE_ADDRESS_REMOVED = "people:private-address:remove"

    PROGRAMME_CONFIGURED = "cohorts:programme:configure"
    COHORT_CREATED = "cohorts:cohort:create"

    CONNECTION_CREATED = "sso:connection:create"
    CONNECTION_CHANGED = "sso:connection:change"
    CONNECTION_TESTED = "sso:connection:test"
    CONNECTION_ACTIVATED = "sso:connection:activate"
    CONNECTION_CLOSED = "sso:connection:close"
    CONNECTION_CHOSEN = "sso:connection:choose"
    CONNECTION_FAILING = "sso:connection:fail"
    CONNECTION_RECOVERED = "sso:connection:recover"
    METADATA_PROPOSED = "sso:metadata:propose"
    METADATA_ACCEPTED = "sso:metadata:accept"
    METADATA_DECLINED = "sso:metadata:decline"
    METADATA_ROLLED_BACK = "sso:metadata:roll-back"
    MAPPING_CHANGED = "sso:mapping:change"
    KEY_PUBLISHED = "sso:key:publish"
    KEY_CHANGED = "sso:key:change"
    IDENTITY_SUSPENDED = "sso:identity:suspend"
    IDENTITY_CONFIRMED = "sso:identity:confirm"
    MATCH_DECLINED = "sso:match:decline"
    MATCH_RECONSIDERED = "sso:match:reconsider"
    IDENTITIES_JOINED = "sso:identity:join"
    TRACE_READ = "sso:trace:read"
    PERSON_SIGNED_OUT = "sso:person:sign-out"
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

    WAVE_CREATED = "waves:wave:create"
    WAVE_CHANGED = "waves:wave:change"
    WAVE_TRIED = "waves:wave:try"
    WAVE_PLANNED = "waves:wave:plan"
    WAVE_PAUSED = "waves:wave:pause"
    WAVE_RESUMED = "waves:wave:resume"
    WAVE_STOPPED = "waves:wave:stop"
    WAVE_DONE = "waves:wave:end"

    COMPLETIONS_RECORDED = "progress:completions:record"
    ROLLUPS_REBUILT = "progress:rollups:rebuild"
    CERTIFICATES_ISSUED = "progress:certificate:issue"
    CERTIFICATES_REVOKED = "progress:certificate:revoke"
    CERTIFICATES_SENT = "progress:certificate:send"

    REPORT_EXPORTED = "reports:report:export"

    TOKEN_CREATED = "api:token:create"  # noqa: S105  An action, not a secret.


ABOUT_A_PERSON = (Action.EMPLOYEE_SEEN, Action.EMPLOYEE_EDITED, Action.EMPLOYEE_LINKED, Action.EMPLOYEE_UNLINKED)
"""What is done with one employee, who is the subject: the person reads it."""

ABOUT_EVERYONE = (Action.REPORT_EXPORTED, Action.IMPORT_FILE_TAKEN, Action.SUPPORT_OPENED)
"""What touches all the people of an organisation: each of them reads it."""
