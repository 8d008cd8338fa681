-- The webhook events that have done their work: one that comes again does nothing.

-- +goose Up
CREATE TABLE webhook (
	id TEXT    NOT NULL PRIMARY KEY, -- the API's, of the event
	at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_at ON webhook (at); -- the old ones are forgotten
