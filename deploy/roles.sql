-- The three database roles of the portal, and what each may do in its database.
--
-- Run it as a superuser, connected to the portal's own database; running it again changes nothing:
--     createdb portal && psql -d portal -f deploy/roles.sql
-- Then give the two roles that sign in a password (\password portal_owner, \password portal_app) or certificates.
-- The demo and the tests read this same file (portal/embedded.py).
--
--   portal_owner     owns the database and its tables, and migrates      DATABASE_OWNER_URL
--   portal_app       web, worker and commands, under row-level security  DATABASE_URL
--   portal_platform  never signs in: portal_app takes it, for one transaction, to see columns that name nobody

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['portal_owner', 'portal_app', 'portal_platform'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
END
$$;

ALTER ROLE portal_owner    LOGIN   NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;
ALTER ROLE portal_app      LOGIN   NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;
ALTER ROLE portal_platform NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;

-- Without INHERIT, the platform's policies apply only after an explicit SET ROLE.
GRANT portal_platform TO portal_app WITH INHERIT FALSE, SET TRUE, ADMIN FALSE;

-- Nobody but these roles may connect; only the owner may create tables. What each table grants, its migration says.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO portal_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO portal_app', current_database());
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO portal_app, portal_platform;
