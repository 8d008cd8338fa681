-- What each machine may ask of the payment API, of that which all may together; and the
-- files whose results aren't written yet, for whoever has to finish them in another's
-- place.

-- +goose Up
ALTER TABLE machine
	ADD COLUMN per_second  DOUBLE PRECISION NOT NULL DEFAULT 0, -- requests
	ADD COLUMN at_once     INTEGER NOT NULL DEFAULT 0,          -- requests under way
	ADD COLUMN in_hand     INTEGER NOT NULL DEFAULT 0,          -- invoices that it settles, of whichever machine's file
	ADD COLUMN leads       BOOLEAN NOT NULL DEFAULT FALSE,      -- it runs a file
	ADD COLUMN wants       BOOLEAN NOT NULL DEFAULT FALSE,      -- it has something to ask
	ADD COLUMN share_at    TIMESTAMPTZ,                         -- when it last took its share; NULL: it has none
	ADD COLUMN too_many_at TIMESTAMPTZ;                         -- when the API last told it that requests are too many

CREATE TABLE file (
	job     BIGINT NOT NULL PRIMARY KEY REFERENCES job (id),
	machine TEXT COLLATE "C" NOT NULL, -- the process that runs it
	content BYTEA NOT NULL             -- as it lay in the inbox; it holds personal data
);
