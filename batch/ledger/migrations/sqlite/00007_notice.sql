-- Mails about invoices beside those that tell how to pay: each kind once.

-- +goose Up
CREATE TABLE notice (
	key        TEXT    NOT NULL REFERENCES invoice (key),
	kind       TEXT    NOT NULL,
	state      TEXT    NOT NULL CHECK (state IN ('mailing', 'mailed', 'deferred', 'refused', 'held')),
	attempt    INTEGER NOT NULL,
	message_id TEXT    NOT NULL UNIQUE CHECK (message_id <> ''),
	mailed_to  TEXT    NOT NULL,
	reply      TEXT    NOT NULL,
	updated_at INTEGER NOT NULL,
	PRIMARY KEY (key, kind)
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER notice_transition BEFORE UPDATE OF state ON notice
WHEN OLD.state || '>' || NEW.state NOT IN (
	'mailing>mailed', 'mailing>deferred', 'mailing>refused', 'mailing>held',
	'deferred>mailing', 'held>mailing',
	'mailed>mailed', 'deferred>deferred', 'refused>refused', 'held>held')
BEGIN
	SELECT RAISE(ABORT, 'a notice can''t go from that state to this');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER notice_is_kept BEFORE DELETE ON notice
BEGIN
	SELECT RAISE(ABORT, 'notices are never deleted');
END;
-- +goose StatementEnd

CREATE INDEX invoice_paid_at ON invoice (paid_at);
