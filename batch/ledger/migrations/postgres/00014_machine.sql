-- The processes that serve inboxes, as each tells of itself, by the server's clock. Of
-- those with the same inbox one has the turn.

-- +goose Up
CREATE TABLE machine (
	id      TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- a process, not a computer
	name    TEXT COLLATE "C" NOT NULL, -- of the computer
	inbox   TEXT COLLATE "C" NOT NULL,
	doing   TEXT COLLATE "C" NOT NULL, -- the file it is at; empty: none
	turn    BOOLEAN NOT NULL,
	since   TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
	seen_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX machine_turn ON machine (inbox) WHERE turn;
