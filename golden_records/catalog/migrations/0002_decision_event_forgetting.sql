-- What happens to decisions, and what was forgotten. Stores of earlier programs may have made decision_event themselves,
-- with the first decision and in this same form.

create table if not exists decision_event (
    event_id bigint not null,
    decision_id bigint not null,
    event text not null,
    at text not null,
    actor text not null,
    role text not null,
    note text,
    previous_hash text,
    hash text not null,
    primary key (event_id)
) /* clustered */;

create table forgetting (
    event_id bigint not null,
    forgetting_id bigint not null,
    event text not null,
    at text not null,
    actor text not null,
    role text not null,
    reason text not null,
    records bigint not null,
    entities bigint not null,
    tokens text not null,
    detail text,
    previous_hash text,
    hash text not null,
    primary key (event_id)
) /* clustered */;
