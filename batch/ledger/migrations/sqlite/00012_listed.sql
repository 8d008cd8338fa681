-- A file may list invoices that another one had issued. Its results tell of them,
-- too.

-- +goose Up
CREATE TABLE listed (
	key TEXT    NOT NULL REFERENCES invoice (key),
	job INTEGER NOT NULL REFERENCES job (id), -- that isn't the invoice's own, nor of the same file
	PRIMARY KEY (key, job)
) STRICT, WITHOUT ROWID;
