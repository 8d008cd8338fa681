-- A person may have mailed again what is mailed or refused. The program lets
-- nobody else: see batch.State.CanBecomeByPerson.

-- +goose Up
DROP TRIGGER invoice_transition;
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
	'held>mailing',
	'mailed>mailing', 'refused>mailing')
BEGIN
	SELECT RAISE(ABORT, 'an invoice can''t go from that state to this');
END;
-- +goose StatementEnd
