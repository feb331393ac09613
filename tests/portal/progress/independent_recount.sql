-- Counts everything from the raw rows, person by person: nothing of it is shared with the product.
-- Parameters: organisation, zone, now.
WITH facts AS (
    SELECT f.employee_id, f.programme_id, f.kind, f.occurred_at,
           (SELECT max(r.occurred_at) FROM progress_completionevent r WHERE r.kind = 'revoked'
            AND r.organisation_id = f.organisation_id AND r.employee_id = f.employee_id
            AND r.programme_id = f.programme_id) AS revoked_at
    FROM progress_completionevent f WHERE f.organisation_id = %(organisation)s AND f.employee_id IS NOT NULL
), one AS (
    SELECT n.id, n.cohort_id, p.site, p.active AS employed, p.email,
           n.enrolled_at AS enrolled,
           (SELECT min(v.sent_at) FROM enrolments_invitation v WHERE v.enrolment_id = n.id) AS invited,
           -- What the server took has arrived until it comes back.
           (SELECT min(CASE v.state WHEN 'delivered' THEN v.answered_at WHEN 'sent' THEN v.sent_at END)
            FROM enrolments_invitation v WHERE v.enrolment_id = n.id) AS delivered,
           (SELECT v.state FROM enrolments_invitation v WHERE v.enrolment_id = n.id
            AND v.state IN ('sent', 'delivered', 'bounced', 'failed', 'uncertain')
            ORDER BY v.number DESC LIMIT 1) AS mail,
           (SELECT min(f.occurred_at) FROM facts f
            WHERE f.employee_id = n.employee_id AND f.programme_id = c.programme_id) AS first_fact,
           CASE WHEN n.activated_by <> 'fact' THEN n.activated_at END AS signed_in,
           (SELECT min(f.occurred_at) FROM facts f
            WHERE f.employee_id = n.employee_id AND f.programme_id = c.programme_id
            AND (f.kind IN ('started', 'progressed', 'completed')
                 OR f.kind = 'certified' AND f.occurred_at > coalesce(f.revoked_at, '-infinity'))) AS started,
           (SELECT min(f.occurred_at) FROM facts f
            WHERE f.employee_id = n.employee_id AND f.programme_id = c.programme_id
            AND (f.kind = 'completed'
                 OR f.kind = 'certified' AND f.occurred_at > coalesce(f.revoked_at, '-infinity'))) AS completed,
           (SELECT max(f.occurred_at) FROM facts f
            WHERE f.employee_id = n.employee_id AND f.programme_id = c.programme_id
            AND f.kind = 'certified' AND f.occurred_at > coalesce(f.revoked_at, '-infinity')) AS certified,
           (SELECT max(f.occurred_at) FROM facts f
            WHERE f.employee_id = n.employee_id AND f.programme_id = c.programme_id) AS last_fact
    FROM enrolments_enrolment n JOIN people_employee p ON p.id = n.employee_id
    JOIN cohorts_cohort c ON c.id = n.cohort_id
    WHERE n.organisation_id = %(organisation)s AND n.withdrawn_at IS NULL
), told AS (
    SELECT one.*, least(signed_in, first_fact) AS activated FROM one
), steps AS (
    SELECT cohort_id, site, 'enrolled' AS step, enrolled AS at FROM told
    UNION ALL SELECT cohort_id, site, 'invited', invited FROM told
    UNION ALL SELECT cohort_id, site, 'delivered', delivered FROM told
    UNION ALL SELECT cohort_id, site, 'active', activated FROM told
    UNION ALL SELECT cohort_id, site, 'started', started FROM told
    UNION ALL SELECT cohort_id, site, 'completed', completed FROM told
    UNION ALL SELECT cohort_id, site, 'certified', certified FROM told
)
SELECT 'step' AS what, cohort_id, site, step || ' ' || (at AT TIME ZONE %(zone)s)::date, count(*)::int
FROM steps WHERE at IS NOT NULL GROUP BY 1, 2, 3, 4
UNION ALL
SELECT 'loss', cohort_id, site,
       CASE WHEN NOT employed THEN 'left' WHEN completed IS NOT NULL THEN 'uncertified'
            WHEN started IS NOT NULL AND last_fact > %(now)s - interval '14 days' THEN 'learning'
            WHEN started IS NOT NULL THEN 'stopped' WHEN activated IS NOT NULL THEN 'unstarted'
            WHEN delivered IS NOT NULL THEN 'silent' WHEN mail = 'bounced' THEN 'bounced'
            WHEN mail IN ('failed', 'uncertain') THEN 'unsent' WHEN invited IS NOT NULL THEN 'silent'
            WHEN email = '' THEN 'no_address' ELSE 'uninvited' END, count(*)::int
FROM told WHERE certified IS NULL GROUP BY 1, 2, 3, 4
UNION ALL
SELECT 'roster', 0, site, '', count(*)::int FROM people_employee
WHERE organisation_id = %(organisation)s AND active GROUP BY 3
