package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"konbill/batch"
)

const (
	selectPerson  = "SELECT name, role, password, created_at, removed_at FROM person WHERE name = $1"
	selectPeople  = "SELECT name, role, password, created_at, removed_at FROM person ORDER BY name"
	selectSession = "SELECT s.token, s.began_at, s.seen_at, p.name, p.role, p.password, p.created_at, p.removed_at" +
		" FROM session s JOIN person p ON p.name = s.person WHERE s.token = $1"
	selectActs = "SELECT at, person, what, about FROM act ORDER BY id DESC LIMIT $1"
)

func personFields(p *batch.Person) []any {
	return []any{&p.Name, &p.Role, &p.Password, (*instant)(&p.CreatedAt), (*instant)(&p.RemovedAt)}
}

// Person returns somebody who may use the page, or might once; batch.ErrNotFound when
// there is nobody of that name.
func (l *Ledger) Person(ctx context.Context, name string) (p batch.Person, err error) {
	err = notFound(l.reader.QueryRowContext(ctx, selectPerson, text(name)).Scan(personFields(&p)...))
	if err != nil {
		return p, fmt.Errorf("look up a person: %w", l.engine.explain(err))
	}
	return p, nil
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return batch.ErrNotFound
	}
	return err
}

// People lists all who may use the page, or might once.
func (l *Ledger) People(ctx context.Context) ([]batch.Person, error) {
	people, err := l.people(ctx)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", l.engine.explain(err))
	}
	return people, nil
}

func (l *Ledger) people(ctx context.Context) ([]batch.Person, error) {
	rows, err := l.reader.QueryContext(ctx, selectPeople)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var people []batch.Person
	for rows.Next() {
		var p batch.Person
		if err := rows.Scan(personFields(&p)...); err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	return people, rows.Err()
}

// AddPerson lets somebody use the page, perhaps again; batch.ErrPersonExists when they
// may.
func (l *Ledger) AddPerson(ctx context.Context, p batch.Person) error {
	return l.changePerson(ctx, p.Name, func(ctx context.Context, tx transaction, known batch.Person, there bool) error {
		if there && known.RemovedAt.IsZero() {
			return batch.ErrPersonExists
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO person (name, role, password, created_at, removed_at) VALUES ($1, $2, $3, $4, 0)"+
			" ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password, created_at = excluded.created_at, removed_at = 0",
			p.Name, p.Role, p.Password, instant(p.CreatedAt))
		return err
	})
}

// SetPassword gives a person another password, as it is to be stored, and ends their
// sessions; batch.ErrNotFound when they may not use the page.
func (l *Ledger) SetPassword(ctx context.Context, name, password string) error {
	return l.changePerson(ctx, name, func(ctx context.Context, tx transaction, known batch.Person, there bool) error {
		if !there || !known.RemovedAt.IsZero() {
			return batch.ErrNotFound
		}
		_, err := tx.ExecContext(ctx, "UPDATE person SET password = $1 WHERE name = $2", password, name)
		return err
	})
}

// RemovePerson keeps a person from using the page, and ends their sessions; batch.ErrNotFound
// when they may not use it.
func (l *Ledger) RemovePerson(ctx context.Context, name string, at time.Time) error {
	return l.changePerson(ctx, name, func(ctx context.Context, tx transaction, known batch.Person, there bool) error {
		if !there || !known.RemovedAt.IsZero() {
			return batch.ErrNotFound
		}
		_, err := tx.ExecContext(ctx, "UPDATE person SET removed_at = $1 WHERE name = $2", instant(at), name)
		return err
	})
}

// changePerson changes a person, of whom no session is left then.
func (l *Ledger) changePerson(ctx context.Context, name string, change func(context.Context, transaction, batch.Person, bool) error) error {
	return l.inTransaction(ctx, "change a person", func(ctx context.Context, tx transaction) error {
		var known batch.Person
		err := tx.QueryRowContext(ctx, selectPerson, name).Scan(personFields(&known)...)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := change(ctx, tx, known, err == nil); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM session WHERE person = $1", name)
		return err
	})
}

// BeginSession stores a session, and forgets those that began before forget.
func (l *Ledger) BeginSession(ctx context.Context, s batch.Session, forget time.Time) error {
	return l.inTransaction(ctx, "begin a session", func(ctx context.Context, tx transaction) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM session WHERE began_at < $1", instant(forget)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO session (token, person, began_at, seen_at) VALUES ($1, $2, $3, $4)",
			s.Token, s.Person.Name, instant(s.BeganAt), instant(s.SeenAt))
		return err
	})
}

// Session returns a session with its person, or batch.ErrNotFound.
func (l *Ledger) Session(ctx context.Context, token string) (s batch.Session, err error) {
	into := append([]any{&s.Token, (*instant)(&s.BeganAt), (*instant)(&s.SeenAt)}, personFields(&s.Person)...)
	err = notFound(l.reader.QueryRowContext(ctx, selectSession, token).Scan(into...))
	if err != nil {
		return s, fmt.Errorf("look up a session: %w", l.engine.explain(err))
	}
	return s, nil
}

// SeeSession stores when a session was last used; one that has ended stays so.
func (l *Ledger) SeeSession(ctx context.Context, token string, at time.Time) error {
	return l.inTransaction(ctx, "see a session", func(ctx context.Context, tx transaction) error {
		_, err := tx.ExecContext(ctx, "UPDATE session SET seen_at = $1 WHERE token = $2 AND seen_at < $1", instant(at), token)
		return err
	})
}

// EndSession forgets a session.
func (l *Ledger) EndSession(ctx context.Context, token string) error {
	return l.inTransaction(ctx, "end a session", func(ctx context.Context, tx transaction) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM session WHERE token = $1", token)
		return err
	})
}

// RecordAct stores what a person did.
func (l *Ledger) RecordAct(ctx context.Context, a batch.Act) error {
	return l.inTransaction(ctx, "record an act", func(ctx context.Context, tx transaction) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO act (at, person, what, about) VALUES ($1, $2, $3, $4)",
			instant(a.At), text(a.Person), a.What, text(a.About))
		return err
	})
}

// Acts lists the latest acts, newest first.
func (l *Ledger) Acts(ctx context.Context, limit int) ([]batch.Act, error) {
	acts, err := l.acts(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("list acts: %w", l.engine.explain(err))
	}
	return acts, nil
}

func (l *Ledger) acts(ctx context.Context, limit int) ([]batch.Act, error) {
	rows, err := l.reader.QueryContext(ctx, selectActs, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var acts []batch.Act
	for rows.Next() {
		var a batch.Act
		if err := rows.Scan((*instant)(&a.At), &a.Person, &a.What, &a.About); err != nil {
			return nil, err
		}
		acts = append(acts, a)
	}
	return acts, rows.Err()
}
