-- First schema of the catalog store. Types and clauses are the common ground of SQLite and PostgreSQL; the comment
-- /* clustered */ marks tables that SQLite keeps in the order of their key (see golden_records/catalog/dialect.py).

create table legal_person (
    entity_id text not null,
    name text,
    entity_kind text,
    uscc text,
    registration_number text,
    organization_code text,
    tax_number text,
    legal_rep_name text,
    legal_rep_id_type text,
    legal_rep_id_number text,
    address text,
    phone text,
    email text,
    established_date text,
    status text,
    records bigint,
    sources bigint,
    conflicts text,
    anchor text,
    since_release bigint not null,
    primary key (entity_id)
) /* clustered */;

create table legal_person_history (
    entity_id text not null,
    name text,
    entity_kind text,
    uscc text,
    registration_number text,
    organization_code text,
    tax_number text,
    legal_rep_name text,
    legal_rep_id_type text,
    legal_rep_id_number text,
    address text,
    phone text,
    email text,
    established_date text,
    status text,
    records bigint,
    sources bigint,
    conflicts text,
    anchor text,
    since_release bigint not null,
    until_release bigint not null,
    primary key (entity_id, until_release)
) /* clustered */;

create table natural_person (
    entity_id text not null,
    name text,
    id_type text,
    id_number text,
    birth_date text,
    sex text,
    phone text,
    address text,
    household_address text,
    employer_name text,
    employer_uscc text,
    ethnicity text,
    nationality text,
    records bigint,
    sources bigint,
    conflicts text,
    anchor text,
    since_release bigint not null,
    primary key (entity_id)
) /* clustered */;

create table natural_person_history (
    entity_id text not null,
    name text,
    id_type text,
    id_number text,
    birth_date text,
    sex text,
    phone text,
    address text,
    household_address text,
    employer_name text,
    employer_uscc text,
    ethnicity text,
    nationality text,
    records bigint,
    sources bigint,
    conflicts text,
    anchor text,
    since_release bigint not null,
    until_release bigint not null,
    primary key (entity_id, until_release)
) /* clustered */;

create table identifier (
    entity_id text not null,
    scheme text not null,
    value text not null,
    valid bigint not null,
    first_seen text,
    last_seen text,
    sources bigint,
    since_release bigint not null,
    primary key (entity_id, scheme, value)
) /* clustered */;

create index identifier_by_value on identifier (scheme, value);

create table identifier_history (
    entity_id text not null,
    scheme text not null,
    value text not null,
    valid bigint not null,
    first_seen text,
    last_seen text,
    sources bigint,
    since_release bigint not null,
    until_release bigint not null,
    primary key (entity_id, scheme, value, until_release)
) /* clustered */;

create index identifier_history_by_value on identifier_history (scheme, value);

create table name (
    entity_id text not null,
    name text not null,
    kind text not null,
    first_seen text,
    last_seen text,
    sources bigint,
    since_release bigint not null,
    primary key (entity_id, name)
) /* clustered */;

create table name_history (
    entity_id text not null,
    name text not null,
    kind text not null,
    first_seen text,
    last_seen text,
    sources bigint,
    since_release bigint not null,
    until_release bigint not null,
    primary key (entity_id, name, until_release)
) /* clustered */;

create table address (
    entity_id text not null,
    address text not null,
    kind text not null,
    first_seen text,
    last_seen text,
    sources bigint,
    since_release bigint not null,
    primary key (entity_id, kind, address)
) /* clustered */;

create table address_history (
    entity_id text not null,
    address text not null,
    kind text not null,
    first_seen text,
    last_seen text,
    sources bigint,
    since_release bigint not null,
    until_release bigint not null,
    primary key (entity_id, kind, address, until_release)
) /* clustered */;

create table phone (
    entity_id text not null,
    phone text not null,
    first_seen text,
    last_seen text,
    sources bigint,
    since_release bigint not null,
    primary key (entity_id, phone)
) /* clustered */;

create table phone_history (
    entity_id text not null,
    phone text not null,
    first_seen text,
    last_seen text,
    sources bigint,
    since_release bigint not null,
    until_release bigint not null,
    primary key (entity_id, phone, until_release)
) /* clustered */;

create table record_link (
    source text not null,
    source_record_id text not null,
    entity_id text not null,
    link_basis text not null,
    probability double precision,
    since_release bigint not null,
    primary key (source, source_record_id)
) /* clustered */;

create index record_link_by_entity on record_link (entity_id);

create table record_link_history (
    source text not null,
    source_record_id text not null,
    entity_id text not null,
    link_basis text not null,
    probability double precision,
    since_release bigint not null,
    until_release bigint not null,
    primary key (source, source_record_id, until_release)
) /* clustered */;

create index record_link_history_by_entity on record_link_history (entity_id);

create table relation (
    entity_id text not null,
    relation text not null,
    other_entity_id text not null,
    basis text,
    valid_from text,
    valid_to text,
    since_release bigint not null,
    primary key (entity_id, relation, other_entity_id)
) /* clustered */;

create index relation_by_other on relation (other_entity_id);

create table relation_history (
    entity_id text not null,
    relation text not null,
    other_entity_id text not null,
    basis text,
    valid_from text,
    valid_to text,
    since_release bigint not null,
    until_release bigint not null,
    primary key (entity_id, relation, other_entity_id, until_release)
) /* clustered */;

create index relation_history_by_other on relation_history (other_entity_id);

create table provenance (
    entity_id text not null,
    attribute text not null,
    value text not null,
    record_id text not null,
    rule text not null,
    support bigint,
    conflict bigint,
    runners_up text,
    since_release bigint not null,
    primary key (entity_id, attribute)
) /* clustered */;

create table provenance_history (
    entity_id text not null,
    attribute text not null,
    value text not null,
    record_id text not null,
    rule text not null,
    support bigint,
    conflict bigint,
    runners_up text,
    since_release bigint not null,
    until_release bigint not null,
    primary key (entity_id, attribute, until_release)
) /* clustered */;

create table review_case (
    case_id text not null,
    entity_type text not null,
    kind text not null,
    rule text,
    match_weight double precision,
    match_probability double precision,
    left_record_id text,
    right_record_id text,
    left_entity_id text,
    right_entity_id text,
    detail text,
    since_release bigint not null,
    primary key (case_id)
) /* clustered */;

create index review_case_by_left on review_case (left_entity_id);

create index review_case_by_right on review_case (right_entity_id);

create table review_case_history (
    case_id text not null,
    entity_type text not null,
    kind text not null,
    rule text,
    match_weight double precision,
    match_probability double precision,
    left_record_id text,
    right_record_id text,
    left_entity_id text,
    right_entity_id text,
    detail text,
    since_release bigint not null,
    until_release bigint not null,
    primary key (case_id, until_release)
) /* clustered */;

create index review_case_history_by_left on review_case_history (left_entity_id);

create index review_case_history_by_right on review_case_history (right_entity_id);

create table fingerprint (
    owner_id text not null,
    entity_type text not null,
    fingerprint bigint not null,
    since_release bigint not null,
    primary key (owner_id)
) /* clustered */;

create table fingerprint_history (
    owner_id text not null,
    entity_type text not null,
    fingerprint bigint not null,
    since_release bigint not null,
    until_release bigint not null,
    primary key (owner_id, until_release)
) /* clustered */;

create table release (
    release_id bigint not null,
    published_at text not null,
    kind text not null,
    cause text not null,
    content_hash text not null,
    restores bigint,
    counts text not null,
    models text not null,
    manifest text not null,
    primary key (release_id)
) /* clustered */;

create table event (
    event_id text not null,
    release bigint not null,
    entity_id text not null,
    event text not null,
    cause text not null,
    as_of text,
    detail text,
    primary key (event_id)
) /* clustered */;

create index event_by_entity on event (entity_id);

create table redirect (
    old_id text not null,
    release bigint not null,
    entity_id text,
    anchor text,
    primary key (old_id, release)
) /* clustered */;

create index redirect_by_entity on redirect (entity_id);

create table decision (
    decision_id bigint not null,
    decided_at text not null,
    actor text not null,
    role text not null,
    entity_type text not null,
    ruling text not null,
    reason text not null,
    case_id text,
    left_record_id text,
    right_record_id text,
    revokes bigint,
    detail text,
    previous_hash text,
    hash text not null,
    primary key (decision_id)
) /* clustered */;

create table access_log (
    entry_id bigint not null,
    at text not null,
    actor text not null,
    role text not null,
    action text not null,
    organization text,
    purpose text,
    authorization_ref text,
    entity_id text,
    fields text,
    rows bigint,
    result_hash text,
    previous_hash text,
    hash text not null,
    primary key (entry_id)
) /* clustered */;

create index access_log_by_entity on access_log (entity_id);

create table api_token (
    token_hash text not null,
    name text not null,
    role text not null,
    organization text,
    created_at text not null,
    expires_at text,
    revoked_at text,
    primary key (token_hash)
) /* clustered */;
