-- What invoices add up to, by payment status, is asked for over all of them: from
-- this index alone.

-- +goose Up
CREATE INDEX invoice_sums ON invoice (charge_status, amount);
