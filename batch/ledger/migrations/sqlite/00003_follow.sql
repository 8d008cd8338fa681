-- The charges that can still be paid are asked for again and again, and are few
-- among all there ever were.

-- +goose Up
CREATE INDEX invoice_charge_status ON invoice (charge_status);
