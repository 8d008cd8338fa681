package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks an SQLite file as a ledger of Konbill ("Konb").
const applicationID = 0x4b6f6e62

// prepareTables makes the tables or brings them up to date. Of several
// processes that open a ledger at once, one does so and the others find it
// done.
func (l *Ledger) prepareTables(ctx context.Context) error {
	pass, err := l.turnstile(ctx)
	if err != nil {
		return err
	}
	defer pass()
	if err := l.claim(ctx); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, l.writer, files)
	if err != nil {
		return err
	}
	have, newest, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case have > newest:
		return fmt.Errorf("it was written by a newer Konbill (its tables are version %d, this one knows %d): use that one", have, newest)
	case have < newest:
		_, err = provider.Up(ctx)
	}
	return err
}

// claim marks an empty file as ours, and refuses one that another program has
// put its tables in.
func (l *Ledger) claim(ctx context.Context) error {
	var id, tables int
	if err := l.writer.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if id == applicationID {
		return nil
	}
	if err := l.writer.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if id != 0 || tables > 0 {
		return errors.New("it is the database of another program: name another file in ledger.url")
	}
	_, err := l.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return err
}
