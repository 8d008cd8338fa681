-- Those who may use the page, their sessions, and what they did. By what they look for
-- invoices: the name that was sent begins with it, or the phone number ends with it.

-- +goose Up
CREATE TABLE person (
	name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	role       TEXT COLLATE "C" NOT NULL CHECK (role IN ('viewer', 'preparer', 'approver')),
	password   TEXT COLLATE "C" NOT NULL, -- a hash
	created_at BIGINT NOT NULL,
	removed_at BIGINT NOT NULL
);

CREATE TABLE session (
	token    TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- SHA-256 of what the browser has, hex
	person   TEXT COLLATE "C" NOT NULL REFERENCES person (name),
	began_at BIGINT NOT NULL,
	seen_at  BIGINT NOT NULL
);
CREATE INDEX session_person ON session (person);

CREATE TABLE act (
	id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at     BIGINT NOT NULL,
	person TEXT COLLATE "C" NOT NULL,
	what   TEXT COLLATE "C" NOT NULL,
	about  TEXT COLLATE "C" NOT NULL
);
CREATE TRIGGER act_is_final BEFORE UPDATE ON act FOR EACH ROW
EXECUTE FUNCTION refuse('acts are never changed');
CREATE TRIGGER act_is_kept BEFORE DELETE ON act FOR EACH ROW
EXECUTE FUNCTION refuse('acts are never deleted');
CREATE TRIGGER acts_are_kept BEFORE TRUNCATE ON act FOR EACH STATEMENT
EXECUTE FUNCTION refuse_all();

CREATE INDEX invoice_sent_name ON invoice (sent_name);
CREATE INDEX invoice_phone_end ON invoice ("right"(phone, 4));
