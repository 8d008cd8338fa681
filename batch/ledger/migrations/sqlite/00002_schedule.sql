-- What `konbill serve` must know after a restart.

-- +goose Up
CREATE TABLE schedule (
	id        INTEGER PRIMARY KEY CHECK (id = 1), -- there is one
	passed_at INTEGER NOT NULL -- the due instant of the latest pass that came to its end; 0: none did
) STRICT;
INSERT INTO schedule (id, passed_at) VALUES (1, 0);

ALTER TABLE invoice ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
-- Whether the mail of what was charged before is still owed isn't known; run
-- again, its file mails it.
ALTER TABLE invoice ADD COLUMN mail_owed INTEGER NOT NULL DEFAULT 0;
