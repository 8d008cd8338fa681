-- Those who may use the page, their sessions, and what they did. By what they look for
-- invoices: the name that was sent begins with it, or the phone number ends with it.
-- Version 14 is PostgreSQL's alone.

-- +goose Up
CREATE TABLE person (
	name       TEXT    NOT NULL PRIMARY KEY,
	role       TEXT    NOT NULL CHECK (role IN ('viewer', 'preparer', 'approver')),
	password   TEXT    NOT NULL, -- a hash
	created_at INTEGER NOT NULL,
	removed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
	token    TEXT    NOT NULL PRIMARY KEY, -- SHA-256 of what the browser has, hex
	person   TEXT    NOT NULL REFERENCES person (name),
	began_at INTEGER NOT NULL,
	seen_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX session_person ON session (person);

CREATE TABLE act (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	at     INTEGER NOT NULL,
	person TEXT    NOT NULL,
	what   TEXT    NOT NULL,
	about  TEXT    NOT NULL
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER act_is_final BEFORE UPDATE ON act
BEGIN
	SELECT RAISE(ABORT, 'acts are never changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER act_is_kept BEFORE DELETE ON act
BEGIN
	SELECT RAISE(ABORT, 'acts are never deleted');
END;
-- +goose StatementEnd

CREATE INDEX invoice_sent_name ON invoice (sent_name);
CREATE INDEX invoice_phone_end ON invoice (substr(phone, -4));
