-- Relations with their state, the period records speak for, and who says so. The table was empty in every release until
-- now; it is made anew with its history.

drop table relation;

drop table relation_history;

create table relation (
    entity_id text not null,
    relation text not null,
    other_entity_id text not null,
    basis text not null,
    rule text not null,
    state text not null,
    first_seen text,
    last_seen text,
    valid_from text,
    valid_to text,
    records bigint,
    sources bigint,
    said_by text,
    since_release bigint not null,
    primary key (entity_id, relation, other_entity_id)
) /* clustered */;

create index relation_by_other on relation (other_entity_id);

create table relation_history (
    entity_id text not null,
    relation text not null,
    other_entity_id text not null,
    basis text not null,
    rule text not null,
    state text not null,
    first_seen text,
    last_seen text,
    valid_from text,
    valid_to text,
    records bigint,
    sources bigint,
    said_by text,
    since_release bigint not null,
    until_release bigint not null,
    primary key (entity_id, relation, other_entity_id, until_release)
) /* clustered */;

create index relation_history_by_other on relation_history (other_entity_id);
