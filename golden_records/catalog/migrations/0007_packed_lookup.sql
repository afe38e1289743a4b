-- The tables for lookup, packed: one row for the profiles of an entity, one for a bucket of blocking keys
-- (golden_records/catalog/lookup_profiles.py, lookup_blocks.py). Until the next run makes them, entities are found by
-- identifier only.

drop table lookup_profile;

drop table lookup_key;

drop table lookup_model;

create table lookup_entity (
    number bigint not null primary key,
    profile_ids blob not null,
    contents blob not null,
    shared text
);

create table lookup_bucket (
    number bigint not null primary key,
    blocks blob not null
);

create table lookup_model (
    kind text not null,
    config text not null,
    model text not null,
    keys_made_by text not null,
    frequencies_hash text not null,
    bucket_bits bigint not null,
    primary key (kind)
) /* clustered */;
