-- The profiles' contents compressed with Snappy (golden_records/catalog/lookup_profiles.py). Until the next run makes
-- the tables for lookup, entities are found by identifier only.

delete from lookup_model;

drop table lookup_entity;

create table lookup_entity (
    number bigint not null primary key,
    profile_ids blob not null,
    contents blob not null,
    shared text
);
