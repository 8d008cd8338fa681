-- Results are written once, and their invoices go on for weeks.

-- +goose Up
ALTER TABLE job ADD COLUMN outdated_at INTEGER NOT NULL DEFAULT 0; -- the latest change that its results may not tell; 0: they tell all
CREATE INDEX job_outdated ON job (id) WHERE outdated_at <> 0;
