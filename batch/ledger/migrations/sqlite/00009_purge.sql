-- Personal data go, the books remain.

-- +goose Up
ALTER TABLE invoice ADD COLUMN purged_at INTEGER NOT NULL DEFAULT 0; -- 0: they are there
