-- The tables as SQLite's migrations have left them at the same number. Money is
-- whole yen. Instants are microseconds since 1970 UTC; 0 means none. Texts are empty,
-- never NULL, where there is nothing, and compare by their bytes.

-- +goose Up
CREATE TABLE account (
	id       TEXT COLLATE "C" NOT NULL,
	live     BOOLEAN NOT NULL UNIQUE, -- one account for each mode
	swept_at BIGINT NOT NULL DEFAULT 0, -- when its latest complete sweep began
	PRIMARY KEY (id, live)
);

CREATE TABLE api_key (
	fingerprint TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	account     TEXT COLLATE "C" NOT NULL,
	live        BOOLEAN NOT NULL,
	FOREIGN KEY (account, live) REFERENCES account (id, live)
);

CREATE TABLE job (
	id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	who         TEXT COLLATE "C" NOT NULL,
	file        TEXT COLLATE "C" NOT NULL,
	sha256      TEXT COLLATE "C" NOT NULL,
	account     TEXT COLLATE "C" NOT NULL,
	live        BOOLEAN NOT NULL,
	started_at  BIGINT NOT NULL,
	finished_at BIGINT NOT NULL DEFAULT 0,
	totals      JSON NOT NULL DEFAULT 'null', -- result to rows and yen
	outdated_at BIGINT NOT NULL DEFAULT 0, -- the latest change that its results may not tell; 0: they tell all
	FOREIGN KEY (account, live) REFERENCES account (id, live)
);
CREATE INDEX job_sha256 ON job (sha256);
CREATE INDEX job_outdated ON job (id) WHERE outdated_at <> 0;

CREATE TABLE invoice (
	id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- in the order of acceptance: writers come one by one
	key          TEXT COLLATE "C" NOT NULL UNIQUE,
	account      TEXT COLLATE "C" NOT NULL,
	live         BOOLEAN NOT NULL,
	number       TEXT COLLATE "C" NOT NULL,
	revision     BIGINT NOT NULL CHECK (revision >= 1),
	state        TEXT COLLATE "C" NOT NULL CHECK (state IN (
		'accepted', 'charging', 'unknown', 'declined', 'charged',
		'mailing', 'mailed', 'deferred', 'refused', 'held')),
	job          BIGINT REFERENCES job (id), -- NULL: issued elsewhere, in no job

	name         TEXT COLLATE "C" NOT NULL,
	company      BOOLEAN NOT NULL,
	sent_name    TEXT COLLATE "C" NOT NULL,
	email        TEXT COLLATE "C" NOT NULL,
	phone        TEXT COLLATE "C" NOT NULL,
	amount       BIGINT NOT NULL,
	due          BIGINT NOT NULL,
	due_given    BOOLEAN NOT NULL,
	description  TEXT COLLATE "C" NOT NULL,
	language     TEXT COLLATE "C" NOT NULL,
	tax_rate     BIGINT NOT NULL,
	tax          BIGINT NOT NULL,

	attempt      BIGINT NOT NULL,
	intent_at    BIGINT NOT NULL,
	source_id    TEXT COLLATE "C" NOT NULL,
	refusal_code TEXT COLLATE "C" NOT NULL,
	refusal_text TEXT COLLATE "C" NOT NULL,
	missed_at    BIGINT NOT NULL,
	elsewhere    BOOLEAN NOT NULL,
	duplicates   TEXT COLLATE "C" NOT NULL,

	charge_id        TEXT COLLATE "C" NOT NULL,
	charge_source_id TEXT COLLATE "C" NOT NULL,
	charge_amount    BIGINT NOT NULL,
	payment_code     TEXT COLLATE "C" NOT NULL,
	authorize_uri    TEXT COLLATE "C" NOT NULL,
	charge_status    TEXT COLLATE "C" NOT NULL,
	failure_code     TEXT COLLATE "C" NOT NULL,
	fee              BIGINT NOT NULL,
	fee_vat          BIGINT NOT NULL,
	net              BIGINT NOT NULL,
	charge_live      BOOLEAN NOT NULL,
	charge_created_at BIGINT NOT NULL,
	expires_at       BIGINT NOT NULL,
	paid_at          BIGINT NOT NULL,

	mail_owed    BOOLEAN NOT NULL,
	mail_attempt BIGINT NOT NULL,
	message_id   TEXT COLLATE "C" NOT NULL,
	mailed_to    TEXT COLLATE "C" NOT NULL,
	mailed_at    BIGINT NOT NULL,
	mail_reply   TEXT COLLATE "C" NOT NULL,

	slip_sha256  TEXT COLLATE "C" NOT NULL, -- hex; empty: none was drawn
	retries      BIGINT NOT NULL,
	purged_at    BIGINT NOT NULL, -- 0: the personal data are there

	accepted_at  BIGINT NOT NULL,
	updated_at   BIGINT NOT NULL,

	FOREIGN KEY (account, live) REFERENCES account (id, live),
	-- Each intent and each outcome is worth something only with its proof.
	CONSTRAINT uncharged_has_job CHECK (
		state NOT IN ('accepted', 'charging', 'unknown', 'declined') OR job IS NOT NULL),
	CONSTRAINT intent_has_time CHECK (state <> 'charging' OR intent_at <> 0),
	CONSTRAINT charged_has_charge CHECK (
		state IN ('accepted', 'charging', 'unknown', 'declined') OR charge_id <> ''),
	CONSTRAINT mail_has_message_id CHECK (
		state NOT IN ('mailing', 'mailed', 'deferred', 'refused', 'held') OR message_id <> '')
);
CREATE UNIQUE INDEX invoice_number ON invoice (number, account, live, revision);
CREATE INDEX invoice_state ON invoice (state, id);
CREATE INDEX invoice_job ON invoice (job, id);
CREATE UNIQUE INDEX invoice_charge ON invoice (charge_id) WHERE charge_id <> '';
CREATE UNIQUE INDEX invoice_message ON invoice (message_id) WHERE message_id <> '';
CREATE INDEX invoice_charge_status ON invoice (charge_status, id);
CREATE INDEX invoice_sums ON invoice (charge_status) INCLUDE (amount);
CREATE INDEX invoice_paid_at ON invoice (paid_at);
CREATE INDEX invoice_slip ON invoice (slip_sha256) WHERE slip_sha256 <> '';
CREATE INDEX invoice_reissued ON invoice (revision) WHERE revision > 1;

CREATE TABLE listed (
	key TEXT COLLATE "C" NOT NULL REFERENCES invoice (key),
	job BIGINT NOT NULL REFERENCES job (id), -- that isn't the invoice's own, nor of the same file
	PRIMARY KEY (key, job)
);

CREATE TABLE event (
	id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	key        TEXT COLLATE "C" NOT NULL REFERENCES invoice (key),
	at         BIGINT NOT NULL,
	who        TEXT COLLATE "C" NOT NULL,
	from_state TEXT COLLATE "C" NOT NULL,
	to_state   TEXT COLLATE "C" NOT NULL,
	why        TEXT COLLATE "C" NOT NULL
);
CREATE INDEX event_key ON event (key, id);

CREATE TABLE notice (
	id         BIGINT GENERATED ALWAYS AS IDENTITY,
	key        TEXT COLLATE "C" NOT NULL REFERENCES invoice (key),
	kind       TEXT COLLATE "C" NOT NULL,
	state      TEXT COLLATE "C" NOT NULL CHECK (state IN ('mailing', 'mailed', 'deferred', 'refused', 'held')),
	attempt    BIGINT NOT NULL,
	message_id TEXT COLLATE "C" NOT NULL UNIQUE CHECK (message_id <> ''),
	mailed_to  TEXT COLLATE "C" NOT NULL,
	reply      TEXT COLLATE "C" NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (key, kind)
);

CREATE TABLE schedule (
	id        BIGINT PRIMARY KEY CHECK (id = 1), -- there is one
	passed_at BIGINT NOT NULL -- the due instant of the latest pass that came to its end; 0: none did
);
INSERT INTO schedule (id, passed_at) VALUES (1, 0);

CREATE TABLE webhook (
	id TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- the API's, of the event
	at BIGINT NOT NULL
);
CREATE INDEX webhook_at ON webhook (at); -- the old ones are forgotten

-- The diagram of batch.State, once more: whatever the program does, a charged
-- invoice never becomes chargeable again.
-- +goose StatementBegin
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER invoice_transition BEFORE UPDATE OF state ON invoice FOR EACH ROW
WHEN (NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN (
	'accepted>charging', 'accepted>charged',
	'charging>charged', 'charging>declined', 'charging>unknown', 'charging>accepted',
	'unknown>charged', 'unknown>accepted',
	'declined>accepted', 'declined>charged',
	'charged>mailing',
	'mailing>mailed', 'mailing>deferred', 'mailing>refused', 'mailing>held',
	'deferred>mailing',
	'held>mailing',
	'mailed>mailing', 'refused>mailing'))
EXECUTE FUNCTION refuse('an invoice can''t go from that state to this');

CREATE TRIGGER invoice_identity BEFORE UPDATE ON invoice FOR EACH ROW
WHEN ((NEW.id, NEW.key, NEW.account, NEW.live, NEW.number, NEW.revision)
	IS DISTINCT FROM (OLD.id, OLD.key, OLD.account, OLD.live, OLD.number, OLD.revision))
EXECUTE FUNCTION refuse('an invoice stays the same invoice');

CREATE TRIGGER charge_is_final BEFORE UPDATE OF charge_id ON invoice FOR EACH ROW
WHEN (OLD.charge_id <> '' AND NEW.charge_id <> OLD.charge_id)
EXECUTE FUNCTION refuse('a charge is never replaced or forgotten');

CREATE TRIGGER invoice_is_kept BEFORE DELETE ON invoice FOR EACH ROW
EXECUTE FUNCTION refuse('invoices are never deleted');

-- One that another ledger has issued is there whatever this one knows.
-- +goose StatementBegin
CREATE FUNCTION invoice_replaces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (
		SELECT 1 FROM invoice
		WHERE number = NEW.number AND account = NEW.account AND live = NEW.live AND revision = NEW.revision - 1
			AND charge_id <> '' AND charge_status IN ('expired', 'failed')) THEN
		RAISE EXCEPTION 'a bill is issued again only when the one before is over unpaid' USING ERRCODE = 'integrity_constraint_violation';
	END IF;
	RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER invoice_replaces BEFORE INSERT ON invoice FOR EACH ROW
WHEN (NEW.revision > 1 AND NOT NEW.elsewhere)
EXECUTE FUNCTION invoice_replaces();

-- The history can be added to and never rewritten.
CREATE TRIGGER event_is_final BEFORE UPDATE ON event FOR EACH ROW
EXECUTE FUNCTION refuse('events are never changed');
CREATE TRIGGER event_is_kept BEFORE DELETE ON event FOR EACH ROW
EXECUTE FUNCTION refuse('events are never deleted');

CREATE TRIGGER notice_transition BEFORE UPDATE OF state ON notice FOR EACH ROW
WHEN (OLD.state || '>' || NEW.state NOT IN (
	'mailing>mailed', 'mailing>deferred', 'mailing>refused', 'mailing>held',
	'deferred>mailing', 'held>mailing',
	'mailed>mailed', 'deferred>deferred', 'refused>refused', 'held>held'))
EXECUTE FUNCTION refuse('a notice can''t go from that state to this');
CREATE TRIGGER notice_is_kept BEFORE DELETE ON notice FOR EACH ROW
EXECUTE FUNCTION refuse('notices are never deleted');
-- Rows can't be taken away together either.
-- +goose StatementBegin
CREATE FUNCTION refuse_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER invoice_stays BEFORE TRUNCATE ON invoice EXECUTE FUNCTION refuse_all();
CREATE TRIGGER event_stays BEFORE TRUNCATE ON event EXECUTE FUNCTION refuse_all();
CREATE TRIGGER notice_stays BEFORE TRUNCATE ON notice EXECUTE FUNCTION refuse_all();
