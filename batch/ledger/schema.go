package ledger

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
)

//go:embed migrations
var migrations embed.FS

// prepareTables makes the tables or brings them up to date. Of several
// processes that open a ledger at once, one does so and the others find it
// done.
func (l *Ledger) prepareTables(ctx context.Context) error {
	pass, err := l.engine.turn(ctx)
	if err != nil {
		return err
	}
	defer pass()
	if err := l.engine.claim(ctx, l.writer); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations/"+l.dialect.migrations)
	if err != nil {
		return err
	}
	migrator, err := l.engine.migrator(l.writer, files)
	if err != nil {
		return err
	}
	have, newest, err := migrator.GetVersions(ctx)
	l.found, l.version = have, newest
	switch {
	case err != nil:
		return err
	case have > newest:
		return fmt.Errorf("it was written by a newer Konbill (its tables are version %d, this one knows %d): use that one", have, newest)
	case have < newest:
		_, err = migrator.Up(ctx)
	}
	return err
}
