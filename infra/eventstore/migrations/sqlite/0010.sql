-- People who sign in with a password: an argon2 hash. Practices NULL: every one.
CREATE TABLE accounts (
    name TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    roles TEXT NOT NULL,
    practices TEXT,
    added_at_us INTEGER NOT NULL,
    disabled INTEGER NOT NULL
);

-- People who are signed in, by the digest of what their browser holds.
CREATE TABLE sessions (
    digest BLOB PRIMARY KEY,
    way TEXT NOT NULL,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    practices TEXT,
    began_at_us INTEGER NOT NULL,
    used_at_us INTEGER NOT NULL,
    ends_at_us INTEGER NOT NULL
);

CREATE INDEX sessions_of_a_person ON sessions (way, subject);

-- What feeds and subscribers bring, by its digest.
CREATE TABLE service_tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    roles TEXT NOT NULL,
    practices TEXT,
    added_at_us INTEGER NOT NULL,
    expires_at_us INTEGER NOT NULL,
    used_at_us INTEGER,
    revoked_at_us INTEGER
);

CREATE UNIQUE INDEX service_tokens_in_use ON service_tokens (name) WHERE revoked_at_us IS NULL;
