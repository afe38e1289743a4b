-- What finding an entity by name, address and the like needs of the current release: golden_records/catalog/lookup.py.

create table lookup_profile (
    kind text not null,
    profile_id bigint not null,
    entities bigint not null,
    entity_ids text not null,
    content text not null,
    primary key (kind, profile_id)
) /* clustered */;

create table lookup_key (
    kind text not null,
    key bigint not null,
    refine bigint not null,
    profile_id bigint not null,
    primary key (kind, key, refine, profile_id)
) /* clustered */;

create table lookup_frequency (
    kind text not null,
    field text not null,
    value text not null,
    frequency double precision not null,
    primary key (kind, field, value)
) /* clustered */;

create table lookup_model (
    kind text not null,
    config text not null,
    model text not null,
    keys_made_by text not null,
    frequencies_hash text not null,
    primary key (kind)
) /* clustered */;
