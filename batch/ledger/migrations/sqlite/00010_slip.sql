-- Whether a slip is the one that was given out.

-- +goose Up
ALTER TABLE invoice ADD COLUMN slip_sha256 TEXT NOT NULL DEFAULT ''; -- hex; empty: none was drawn, or before this was kept
CREATE INDEX invoice_slip ON invoice (slip_sha256) WHERE slip_sha256 <> '';
