-- Money is whole yen. Instants are microseconds since 1970 UTC; 0 means none.
-- Texts are empty, never NULL, where there is nothing.

-- +goose Up
CREATE TABLE account (
	id       TEXT    NOT NULL,
	live     INTEGER NOT NULL UNIQUE CHECK (live IN (0, 1)), -- one account for each mode
	swept_at INTEGER NOT NULL DEFAULT 0, -- when its latest complete sweep began
	PRIMARY KEY (id, live)
) STRICT;

CREATE TABLE api_key (
	fingerprint TEXT    NOT NULL PRIMARY KEY,
	account     TEXT    NOT NULL,
	live        INTEGER NOT NULL,
	FOREIGN KEY (account, live) REFERENCES account (id, live)
) STRICT;

CREATE TABLE job (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	who         TEXT    NOT NULL,
	file        TEXT    NOT NULL,
	sha256      TEXT    NOT NULL,
	account     TEXT    NOT NULL,
	live        INTEGER NOT NULL,
	started_at  INTEGER NOT NULL,
	finished_at INTEGER NOT NULL DEFAULT 0,
	totals      TEXT    NOT NULL DEFAULT 'null' CHECK (json_valid(totals)), -- JSON: result to rows and yen
	FOREIGN KEY (account, live) REFERENCES account (id, live)
) STRICT;
CREATE INDEX job_sha256 ON job (sha256);

CREATE TABLE invoice (
	id           INTEGER PRIMARY KEY, -- in the order of acceptance; rows are never deleted, so never reused
	key          TEXT    NOT NULL UNIQUE,
	account      TEXT    NOT NULL,
	live         INTEGER NOT NULL,
	state        TEXT    NOT NULL CHECK (state IN (
		'accepted', 'charging', 'unknown', 'declined', 'charged',
		'mailing', 'mailed', 'deferred', 'refused', 'held')),
	job          INTEGER REFERENCES job (id), -- NULL: issued elsewhere, in no job

	number       TEXT    NOT NULL,
	name         TEXT    NOT NULL,
	company      INTEGER NOT NULL,
	sent_name    TEXT    NOT NULL,
	email        TEXT    NOT NULL,
	phone        TEXT    NOT NULL,
	amount       INTEGER NOT NULL,
	due          INTEGER NOT NULL,
	due_given    INTEGER NOT NULL,
	description  TEXT    NOT NULL,
	language     TEXT    NOT NULL,
	tax_rate     INTEGER NOT NULL,
	tax          INTEGER NOT NULL,

	attempt      INTEGER NOT NULL,
	intent_at    INTEGER NOT NULL,
	source_id    TEXT    NOT NULL,
	refusal_code TEXT    NOT NULL,
	refusal_text TEXT    NOT NULL,
	missed_at    INTEGER NOT NULL,
	elsewhere    INTEGER NOT NULL,
	duplicates   TEXT    NOT NULL,

	charge_id        TEXT    NOT NULL,
	charge_source_id TEXT    NOT NULL,
	charge_amount    INTEGER NOT NULL,
	payment_code     TEXT    NOT NULL,
	authorize_uri    TEXT    NOT NULL,
	charge_status    TEXT    NOT NULL,
	failure_code     TEXT    NOT NULL,
	fee              INTEGER NOT NULL,
	fee_vat          INTEGER NOT NULL,
	net              INTEGER NOT NULL,
	charge_live      INTEGER NOT NULL,
	charge_created_at INTEGER NOT NULL,
	expires_at       INTEGER NOT NULL,
	paid_at          INTEGER NOT NULL,

	mail_attempt INTEGER NOT NULL,
	message_id   TEXT    NOT NULL,
	mailed_to    TEXT    NOT NULL,
	mailed_at    INTEGER NOT NULL,
	mail_reply   TEXT    NOT NULL,

	accepted_at  INTEGER NOT NULL,
	updated_at   INTEGER NOT NULL,

	FOREIGN KEY (account, live) REFERENCES account (id, live),
	-- Each intent and each outcome is worth something only with its proof.
	CONSTRAINT uncharged_has_job CHECK (
		state NOT IN ('accepted', 'charging', 'unknown', 'declined') OR job IS NOT NULL),
	CONSTRAINT intent_has_time CHECK (state <> 'charging' OR intent_at <> 0),
	CONSTRAINT charged_has_charge CHECK (
		state IN ('accepted', 'charging', 'unknown', 'declined') OR charge_id <> ''),
	CONSTRAINT mail_has_message_id CHECK (
		state NOT IN ('mailing', 'mailed', 'deferred', 'refused', 'held') OR message_id <> '')
) STRICT;
CREATE UNIQUE INDEX invoice_number ON invoice (number, account, live); -- in this order it also serves a search by number alone
CREATE INDEX invoice_state ON invoice (state);
CREATE INDEX invoice_job ON invoice (job);
CREATE UNIQUE INDEX invoice_charge ON invoice (charge_id) WHERE charge_id <> '';
CREATE UNIQUE INDEX invoice_message ON invoice (message_id) WHERE message_id <> '';

CREATE TABLE event (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	key        TEXT    NOT NULL REFERENCES invoice (key),
	at         INTEGER NOT NULL,
	who        TEXT    NOT NULL,
	from_state TEXT    NOT NULL,
	to_state   TEXT    NOT NULL,
	why        TEXT    NOT NULL
) STRICT;
CREATE INDEX event_key ON event (key);

-- The diagram of batch.State, once more: whatever the program does, a charged
-- invoice never becomes chargeable again.
-- +goose StatementBegin
CREATE TRIGGER invoice_transition BEFORE UPDATE OF state ON invoice
WHEN NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN (
	'accepted>charging', 'accepted>charged',
	'charging>charged', 'charging>declined', 'charging>unknown', 'charging>accepted',
	'unknown>charged', 'unknown>accepted',
	'declined>accepted', 'declined>charged',
	'charged>mailing',
	'mailing>mailed', 'mailing>deferred', 'mailing>refused', 'mailing>held',
	'deferred>mailing',
	'held>mailing')
BEGIN
	SELECT RAISE(ABORT, 'an invoice can''t go from that state to this');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER invoice_identity BEFORE UPDATE OF id, key, account, live, number ON invoice
WHEN (NEW.id, NEW.key, NEW.account, NEW.live, NEW.number) IS NOT (OLD.id, OLD.key, OLD.account, OLD.live, OLD.number)
BEGIN
	SELECT RAISE(ABORT, 'an invoice stays the same invoice');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER charge_is_final BEFORE UPDATE OF charge_id ON invoice
WHEN OLD.charge_id <> '' AND NEW.charge_id <> OLD.charge_id
BEGIN
	SELECT RAISE(ABORT, 'a charge is never replaced or forgotten');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER invoice_is_kept BEFORE DELETE ON invoice
BEGIN
	SELECT RAISE(ABORT, 'invoices are never deleted');
END;
-- +goose StatementEnd

-- The history can be added to and never rewritten.
-- +goose StatementBegin
CREATE TRIGGER event_is_final BEFORE UPDATE ON event
BEGIN
	SELECT RAISE(ABORT, 'events are never changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_is_kept BEFORE DELETE ON event
BEGIN
	SELECT RAISE(ABORT, 'events are never deleted');
END;
-- +goose StatementEnd
