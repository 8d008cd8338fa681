-- Where the account was last looked through: the server's cluster, and its timeline.

-- +goose Up
ALTER TABLE account ADD COLUMN swept_on TEXT COLLATE "C" NOT NULL DEFAULT '';
