-- A number whose bill ended unpaid may be billed again: each bill is a revision
-- of its own, found by number and revision, and the customer has one to pay at
-- any time.

-- +goose Up
ALTER TABLE invoice ADD COLUMN revision INTEGER NOT NULL DEFAULT 1 CHECK (revision >= 1);
DROP INDEX invoice_number;
CREATE UNIQUE INDEX invoice_number ON invoice (number, account, live, revision);

DROP TRIGGER invoice_identity;
-- +goose StatementBegin
CREATE TRIGGER invoice_identity BEFORE UPDATE OF id, key, account, live, number, revision ON invoice
WHEN (NEW.id, NEW.key, NEW.account, NEW.live, NEW.number, NEW.revision)
	IS NOT (OLD.id, OLD.key, OLD.account, OLD.live, OLD.number, OLD.revision)
BEGIN
	SELECT RAISE(ABORT, 'an invoice stays the same invoice');
END;
-- +goose StatementEnd
-- One that another ledger has issued is there whatever this one knows.
-- +goose StatementBegin
CREATE TRIGGER invoice_replaces BEFORE INSERT ON invoice
WHEN NEW.revision > 1 AND NEW.elsewhere = 0 AND NOT EXISTS (
	SELECT 1 FROM invoice
	WHERE number = NEW.number AND account = NEW.account AND live = NEW.live AND revision = NEW.revision - 1
		AND charge_id <> '' AND charge_status IN ('expired', 'failed'))
BEGIN
	SELECT RAISE(ABORT, 'a bill is issued again only when the one before is over unpaid');
END;
-- +goose StatementEnd
