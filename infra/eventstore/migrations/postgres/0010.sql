-- People who sign in with a password: an argon2 hash. Practices NULL: every one.
CREATE TABLE accounts (
    name text PRIMARY KEY,
    password text NOT NULL,
    roles text NOT NULL,
    practices text,
    added_at_us bigint NOT NULL,
    disabled smallint NOT NULL
);

-- People who are signed in, by the digest of what their browser holds.
CREATE TABLE sessions (
    digest bytea PRIMARY KEY,
    way text NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    roles text NOT NULL,
    practices text,
    began_at_us bigint NOT NULL,
    used_at_us bigint NOT NULL,
    ends_at_us bigint NOT NULL
);

CREATE INDEX sessions_of_a_person ON sessions (way, subject);

-- What feeds and subscribers bring, by its digest.
CREATE TABLE service_tokens (
    id text PRIMARY KEY,
    name text NOT NULL,
    digest bytea NOT NULL UNIQUE,
    roles text NOT NULL,
    practices text,
    added_at_us bigint NOT NULL,
    expires_at_us bigint NOT NULL,
    used_at_us bigint,
    revoked_at_us bigint
);

CREATE UNIQUE INDEX service_tokens_in_use ON service_tokens (name) WHERE revoked_at_us IS NULL;
