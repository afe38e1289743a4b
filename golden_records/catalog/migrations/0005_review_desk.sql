-- What people do at the review desk: who is signed in, who has taken a case, what each one said, and the trail of it all.
-- review_queue and review_mark are made from the other tables and can be made anew at any time.

create table review_session (
    session_hash text not null,
    token_hash text not null,
    created_at text not null,
    expires_at text not null,
    ended_at text,
    subject text,
    purpose text,
    purpose_until text,
    primary key (session_hash)
) /* clustered */;

create table review_assignment (
    case_id text not null,
    assignee text not null,
    assigned_at text not null,
    assigned_by text not null,
    primary key (case_id)
) /* clustered */;

create table review_opinion (
    opinion_id bigint not null,
    case_id text not null,
    at text not null,
    actor text not null,
    role text not null,
    part text not null,
    ruling text not null,
    record_id text,
    reason text not null,
    note text,
    decision_id bigint,
    release bigint not null,
    request_key text not null,
    previous_hash text,
    hash text not null,
    primary key (opinion_id)
) /* clustered */;

create index review_opinion_by_case on review_opinion (case_id);

create index review_opinion_by_request on review_opinion (request_key);

create table review_trail (
    entry_id bigint not null,
    at text not null,
    actor text not null,
    role text not null,
    action text not null,
    organization text,
    case_id text,
    entity_id text,
    decision_id bigint,
    release bigint,
    evidence_hash text,
    detail text,
    previous_hash text,
    hash text not null,
    primary key (entry_id)
) /* clustered */;

create index review_trail_by_case on review_trail (case_id);

create index review_trail_by_decision on review_trail (decision_id);

create table review_queue (
    case_id text not null,
    entity_type text not null,
    topic text not null,
    left_source text,
    right_source text,
    opened_at text not null,
    match_weight double precision,
    records bigint,
    credit_rows bigint,
    risk bigint not null,
    state text not null,
    pending bigint not null,
    primary key (case_id)
) /* clustered */;

create index review_queue_by_risk on review_queue (pending, risk, case_id);

create index review_queue_by_age on review_queue (pending, opened_at, case_id);

create index review_queue_by_weight on review_queue (pending, match_weight, case_id);

create index review_queue_of_all on review_queue (risk, case_id);

create table review_mark (
    name text not null,
    value bigint not null,
    primary key (name)
) /* clustered */;

create index access_log_by_reference on access_log (authorization_ref);
