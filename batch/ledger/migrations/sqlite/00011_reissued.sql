-- Bills that took the place of others are few: whether one of those others was
-- paid after all is looked up again and again.

-- +goose Up
CREATE INDEX invoice_reissued ON invoice (revision) WHERE revision > 1;
