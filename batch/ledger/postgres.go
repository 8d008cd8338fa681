package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	neturl "net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"konbill/batch"
)

// postgres is a PostgreSQL database, version 15 or later, that any number of machines
// may share.
//
// A writing transaction begins by taking an advisory lock, which it has until it
// ends: writers come one after the other, as they do at an SQLite file, and all that
// is proved of the one holds for the other. Those of a process share commits, so the
// lock is taken once for many steps.
type postgres struct {
	config  *pgx.ConnConfig
	session string // names the sessions of this process

	writesTo atomic.Value // the server that the writing connection leads to, a string

	mutex sync.Mutex
	holds *sql.DB // for the lock of Hold, and for turns; opened when first wanted
}

// The advisory locks, within a database. Their first number is "Konb".
const (
	lockClass = 0x4b6f6e62
	lockHold  = 1
	lockWrite = 2
	lockTurn  = 3
	lockShare = 4
	lockFleet = 5
)

const (
	// connectTimeout is how long a server may take to answer at all.
	connectTimeout = 10 * time.Second
	// lockTimeout is how long a writer waits for the others.
	lockTimeout = 60 * time.Second
	// holdTimeout is how long a run waits for the lock of another: a server takes a
	// moment to notice that a process has died.
	holdTimeout = time.Second
	// turnTimeout is how long a process that is stopped while it takes its turn keeps
	// the others from theirs.
	turnTimeout = 3 * time.Second
	// idleTimeout ends a transaction whose process does nothing for so long, since it
	// was stopped or cut off: others wait for its lock.
	idleTimeout = 20 * time.Second
)

func newPostgres(url string) (*postgres, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errNotPostgres // pgx's error may repeat the password
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	// Of several servers, the one that takes over is found; a standby forgets what it is
	// told.
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	return &postgres{config: config, session: newSession()}, nil
}

var errNotPostgres = errors.New("ledger.url: a PostgreSQL ledger is written postgres://USER@HOST:5432/DATABASE")

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// IsShared reports whether several machines may share the ledger at url.
func IsShared(url string) bool { return isPostgres(url) }

// Redacted is a ledger's URL without the password that that of a database may hold.
func Redacted(url string) string {
	if !isPostgres(url) {
		return url
	}
	u, err := neturl.Parse(url)
	if err != nil {
		return "postgres://"
	}
	if name := u.User.Username(); u.User != nil {
		u.User = neturl.User(name)
	}
	query := u.Query()
	for _, secret := range []string{"password", "sslpassword"} {
		query.Del(secret)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func (p *postgres) place() string {
	return fmt.Sprintf("postgres://%s/%s", strings.Join(p.addresses(), ","), p.config.Database)
}

// addresses are those of the server and of the ones that may take over from it.
func (p *postgres) addresses() []string {
	var all []string
	add := func(host string, port uint16) {
		if address := net.JoinHostPort(host, strconv.Itoa(int(port))); !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	add(p.config.Host, p.config.Port)
	for _, other := range p.config.Fallbacks { // pgx names a server once for each way to encrypt
		add(other.Host, other.Port)
	}
	return all
}

func (p *postgres) server() string {
	server, _ := p.writesTo.Load().(string)
	return server
}

// noteServer finds out where a connection leads to: the cluster, and its timeline, which
// is another one after a standby was promoted or a backup was restored (PostgreSQL's
// manual, "Continuous Archiving", on timelines). Servers that keep these to themselves,
// as some cloud providers' do, have storage of their own behind them: they don't know the
// functions, don't support them, or don't let us call them.
func (p *postgres) noteServer(ctx context.Context, c *pgx.Conn) error {
	server := ""
	err := c.QueryRow(ctx, "SELECT system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()").Scan(&server)
	if refused := new(pgconn.PgError); err != nil && !(errors.As(err, &refused) && slices.Contains([]string{"42883", "0A000", "42501"}, refused.Code)) {
		return err
	}
	p.writesTo.Store(server)
	return nil
}

func (p *postgres) dialect() dialect {
	return dialect{
		migrations: "postgres",
		among: func(column, list string) string {
			return column + " = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST(CAST(" + list + " AS text) AS jsonb))))"
		},
		together:    200, // of 65,535 arguments
		noticeOrder: "id",
		phoneEnd:    `"right"(phone, 4)`,
	}
}

// open opens connections whose sessions have some settings.
func (p *postgres) open(settings map[string]string, options ...stdlib.OptionOpenDB) *sql.DB {
	config := p.config.Copy()
	p.set(config, settings)
	return stdlib.OpenDB(*config, options...)
}

// set has sessions be known as this process's.
func (p *postgres) set(config *pgx.ConnConfig, settings map[string]string) {
	for name, value := range settings {
		config.RuntimeParams[name] = value
	}
	config.RuntimeParams["application_name"] = p.session
	// A machine that vanished is noticed, and its locks are free again, in half a minute.
	config.RuntimeParams["tcp_keepalives_idle"] = "15"
	config.RuntimeParams["tcp_keepalives_interval"] = "5"
	config.RuntimeParams["tcp_keepalives_count"] = "3"
}

// ErrNotShared says that a ledger is one machine's own.
var ErrNotShared = errors.New("the ledger is a file: several machines share one on PostgreSQL only (ledger.url)")

// Pool opens at most so many connections to the database for whoever keeps something
// beside the ledger's own tables. The error is ErrNotShared, or the database's.
func (l *Ledger) Pool(ctx context.Context, most int32) (*pgxpool.Pool, error) {
	p, shared := l.engine.(*postgres)
	if !shared {
		return nil, ErrNotShared
	}
	config, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, err
	}
	config.ConnConfig = p.config.Copy()
	p.set(config.ConnConfig, nil)
	config.MaxConns = most
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, p.explain(err)
	}
	return pool, nil
}

// WithFleetLock does something while no other process does it.
func (l *Ledger) WithFleetLock(ctx context.Context, do func() error) error {
	p, shared := l.engine.(*postgres)
	if !shared {
		return ErrNotShared
	}
	c, err := p.holder().Conn(ctx)
	if err != nil {
		return p.explain(err)
	}
	defer c.Close() // which gives up the lock
	if _, err := c.ExecContext(ctx, "SET lock_timeout = 0"); err != nil {
		return p.explain(err)
	}
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock($1, $2)", lockClass, lockFleet); err != nil {
		return p.explain(err)
	}
	return do()
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func (p *postgres) connect(ctx context.Context) (writer, reader *sql.DB, err error) {
	writer = p.open(map[string]string{
		"synchronous_commit":                  "on",
		"lock_timeout":                        milliseconds(lockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(idleTimeout),
	}, stdlib.OptionAfterConnect(p.noteServer))
	writer.SetMaxIdleConns(1)
	reader = p.open(map[string]string{"default_transaction_read_only": "on"})
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	return writer, reader, writer.PingContext(ctx)
}

// oldest is the oldest version of the server that the tables were tried on.
const oldest = 150000

func (p *postgres) claim(ctx context.Context, writer *sql.DB) error {
	var version int
	if err := writer.QueryRowContext(ctx, "SELECT CAST(current_setting('server_version_num') AS integer)").Scan(&version); err != nil {
		return err
	}
	if version < oldest {
		return fmt.Errorf("the server is PostgreSQL %d: Konbill needs 15 or later", version/10000)
	}
	var ours, theirs int
	err := writer.QueryRowContext(ctx, "SELECT count(*) FILTER (WHERE table_name = 'goose_db_version'), count(*)"+
		" FROM information_schema.tables WHERE table_schema = current_schema()").Scan(&ours, &theirs)
	if err == nil && ours == 0 && theirs > 0 {
		err = errors.New("it is the database of another program: name another one in ledger.url")
	}
	return err
}

func (p *postgres) migrator(writer *sql.DB, files fs.FS) (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, writer, files, goose.WithSessionLocker(locker))
}

// turn is the advisory lock's own queue.
func (p *postgres) turn(context.Context) (pass func(), err error) { return func() {}, nil }

func (p *postgres) begun(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1, $2)", lockClass, lockWrite)
	return err
}

// hold takes a lock of its own connection. The server drops it when that is cut; a
// run that goes on without it is then as one beside another.
func (p *postgres) hold(ctx context.Context) (release func(), err error) {
	c, err := p.holder().Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock the ledger: %w", p.explain(err))
	}
	_, err = c.ExecContext(ctx, "SELECT pg_advisory_lock($1, $2)", lockClass, lockHold)
	if err != nil {
		_ = c.Close()
		if failed := new(pgconn.PgError); errors.As(err, &failed) && failed.Code == lockNotAvailable {
			return nil, batch.ErrHeld
		}
		return nil, fmt.Errorf("lock the ledger: %w", p.explain(err))
	}
	return sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
		defer cancel()
		_, _ = c.ExecContext(ctx, "SELECT pg_advisory_unlock($1, $2)", lockClass, lockHold)
		_ = c.Close()
	}), nil
}

// holder keeps no connection for later: the end of one drops its lock, whatever
// became of unlocking.
func (p *postgres) holder() *sql.DB {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.holds == nil {
		p.holds = p.open(map[string]string{
			"lock_timeout":                        milliseconds(holdTimeout),
			"idle_in_transaction_session_timeout": milliseconds(turnTimeout),
		})
		p.holds.SetMaxIdleConns(-1)
	}
	return p.holds
}

func (p *postgres) close() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.holds == nil {
		return nil
	}
	return p.holds.Close()
}

// check looks at what the promise to be durable rests on, and that nobody on the way
// reads customers' data.
func (p *postgres) check(ctx context.Context, reader *sql.DB) error {
	var encrypted bool
	if err := reader.QueryRowContext(ctx, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&encrypted); err != nil {
		return err
	}
	if !encrypted && !p.onThisMachine() {
		return errors.New("the connection to the server isn't encrypted, and carries names and phone numbers: add ?sslmode=verify-full to ledger.url")
	}
	for _, setting := range []string{"fsync", "full_page_writes"} {
		var value string
		if err := reader.QueryRowContext(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return err
		}
		if value != "on" {
			return fmt.Errorf("the server runs with %s = %s: after a power cut it may have forgotten charges; turn it on", setting, value)
		}
	}
	return nil
}

func (p *postgres) onThisMachine() bool {
	for _, other := range p.config.Fallbacks {
		if !onThisMachine(other.Host) {
			return false
		}
	}
	return onThisMachine(p.config.Host)
}

// onThisMachine reports a host that no network leads to.
func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasPrefix(host, "/") || ip != nil && ip.IsLoopback()
}

// scrub rewrites the tables that hold personal data: what was overwritten stays in
// their files until then. The server's own log and backups keep it as long as they
// are kept.
func (p *postgres) scrub(ctx context.Context, writer *sql.DB) (whole bool, err error) {
	for _, table := range []string{"invoice", "notice", "file"} {
		if _, err := writer.ExecContext(ctx, "VACUUM FULL "+table); err != nil {
			return false, err
		}
	}
	return true, nil
}

const lockNotAvailable = "55P03"

// pgFaults says what PostgreSQL's codes mean for the people who run files, and what
// to do. See its manual, appendix A; a class has two digits.
var pgFaults = map[string]string{
	"08":             "the connection to the database was lost",
	"28":             "the database refuses the user or the password: correct ledger.url, or the password file",
	"3D000":          "there is no such database: create it, or correct ledger.url",
	"42501":          "the user may not do this: it must own the database's tables",
	"53100":          "the database server's disk is full: make room and try again",
	"53300":          "the database server has no connection left: raise max_connections, or try again",
	lockNotAvailable: "other machines have kept the ledger busy for " + lockTimeout.String() + ": see whether one hangs, and try again",
	"57P":            "the database server was stopped: try again once it is up",
	"25P03":          "this machine did nothing for " + idleTimeout.String() + " in the middle of a step, which was undone: try again",
	"58":             "the database server's disk failed",
}

func (p *postgres) explain(err error) error {
	if failed := new(pgconn.PgError); errors.As(err, &failed) {
		for _, length := range []int{5, 3, 2} {
			if sentence, ok := pgFaults[failed.Code[:min(length, len(failed.Code))]]; ok {
				return fmt.Errorf("%s: %w", sentence, err)
			}
		}
		return err
	}
	var unreachable *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &unreachable) || errors.As(err, &network) {
		return fmt.Errorf("the database can't be reached: see whether its server runs, and ledger.url: %w", err)
	}
	return err
}
