-- Rights of a PostgreSQL catalog: the role guiyi_reader reads legal persons, and nothing of natural persons.
--
-- To be run in the catalog's database by a superuser, or by the role that owns the tables and may create roles:
--     psql --single-transaction --file grants.sql "postgresql://postgres@HOST/DATABASE"
-- for a catalog in a schema of its own with PGOPTIONS='--search_path=SCHEMA'. Run it again after every migration: a table
-- that was made anew has no rights, and so shows nothing, until then. A login gets the role with
--     grant guiyi_reader to SOMEBODY;
--
-- What holds both kinds of persons is cut by row: the id of a legal person begins with LP. Row-level security binds every
-- role but the owner of the tables, with which Guiyi itself publishes and serves, superusers, and roles with bypassrls.
-- What is not named here is seen by the owner alone: natural_person, review_case (its cases quote values), the tables for
-- lookup, fingerprints, rulings, tombstones, the access log, tokens. Withheld of a legal person are the number of its
-- representative's document, and taxpayer numbers, which for an individual business may be its operator's.

do $$
begin
    if not exists (select 1 from pg_roles where rolname = 'guiyi_reader') then
        create role guiyi_reader nologin;
    end if;
    execute format('grant usage on schema %I to guiyi_reader', current_schema());
    execute format('revoke all on all tables in schema %I from guiyi_reader', current_schema());
    execute format('revoke all on all tables in schema %I from public', current_schema());
end $$;

grant select on schema_migration to guiyi_reader;

grant select (
    release_id, published_at, kind, cause, content_hash, restores, counts, models
) on release to guiyi_reader;

grant select (
    entity_id, name, entity_kind, uscc, registration_number, organization_code, legal_rep_name,
    address, phone, email, established_date, status, records, sources, conflicts, anchor,
    since_release
) on legal_person to guiyi_reader;

grant select (
    entity_id, name, entity_kind, uscc, registration_number, organization_code, legal_rep_name,
    address, phone, email, established_date, status, records, sources, conflicts, anchor,
    since_release, until_release
) on legal_person_history to guiyi_reader;

alter table identifier enable row level security;
drop policy if exists legal_persons on identifier;
create policy legal_persons on identifier for select to guiyi_reader
    using (entity_id like 'LP%' and scheme in ('uscc', 'organization_code', 'registration_number'));
grant select on identifier to guiyi_reader;

alter table identifier_history enable row level security;
drop policy if exists legal_persons on identifier_history;
create policy legal_persons on identifier_history for select to guiyi_reader
    using (entity_id like 'LP%' and scheme in ('uscc', 'organization_code', 'registration_number'));
grant select on identifier_history to guiyi_reader;

alter table name enable row level security;
drop policy if exists legal_persons on name;
create policy legal_persons on name for select to guiyi_reader
    using (entity_id like 'LP%');
grant select on name to guiyi_reader;

alter table name_history enable row level security;
drop policy if exists legal_persons on name_history;
create policy legal_persons on name_history for select to guiyi_reader
    using (entity_id like 'LP%');
grant select on name_history to guiyi_reader;

alter table address enable row level security;
drop policy if exists legal_persons on address;
create policy legal_persons on address for select to guiyi_reader
    using (entity_id like 'LP%');
grant select on address to guiyi_reader;

alter table address_history enable row level security;
drop policy if exists legal_persons on address_history;
create policy legal_persons on address_history for select to guiyi_reader
    using (entity_id like 'LP%');
grant select on address_history to guiyi_reader;

alter table phone enable row level security;
drop policy if exists legal_persons on phone;
create policy legal_persons on phone for select to guiyi_reader
    using (entity_id like 'LP%');
grant select on phone to guiyi_reader;

alter table phone_history enable row level security;
drop policy if exists legal_persons on phone_history;
create policy legal_persons on phone_history for select to guiyi_reader
    using (entity_id like 'LP%');
grant select on phone_history to guiyi_reader;

alter table record_link enable row level security;
drop policy if exists legal_persons on record_link;
create policy legal_persons on record_link for select to guiyi_reader
    using (entity_id like 'LP%');
grant select on record_link to guiyi_reader;

alter table record_link_history enable row level security;
drop policy if exists legal_persons on record_link_history;
create policy legal_persons on record_link_history for select to guiyi_reader
    using (entity_id like 'LP%');
grant select on record_link_history to guiyi_reader;

alter table relation enable row level security;
drop policy if exists legal_persons on relation;
create policy legal_persons on relation for select to guiyi_reader
    using (entity_id like 'LP%' and other_entity_id like 'LP%');
grant select on relation to guiyi_reader;

alter table relation_history enable row level security;
drop policy if exists legal_persons on relation_history;
create policy legal_persons on relation_history for select to guiyi_reader
    using (entity_id like 'LP%' and other_entity_id like 'LP%');
grant select on relation_history to guiyi_reader;

alter table provenance enable row level security;
drop policy if exists legal_persons on provenance;
create policy legal_persons on provenance for select to guiyi_reader
    using (entity_id like 'LP%' and attribute not in ('tax_number', 'legal_rep_id_type', 'legal_rep_id_number'));
grant select on provenance to guiyi_reader;

alter table provenance_history enable row level security;
drop policy if exists legal_persons on provenance_history;
create policy legal_persons on provenance_history for select to guiyi_reader
    using (entity_id like 'LP%' and attribute not in ('tax_number', 'legal_rep_id_type', 'legal_rep_id_number'));
grant select on provenance_history to guiyi_reader;

alter table event enable row level security;
drop policy if exists legal_persons on event;
create policy legal_persons on event for select to guiyi_reader
    using (entity_id like 'LP%');
grant select on event to guiyi_reader;

alter table redirect enable row level security;
drop policy if exists legal_persons on redirect;
create policy legal_persons on redirect for select to guiyi_reader
    using (old_id like 'LP%');
grant select on redirect to guiyi_reader;
