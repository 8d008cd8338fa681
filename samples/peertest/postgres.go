//go:build unix

package peertest

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Postgres is a PostgreSQL server of a test's own, on loopback.
type Postgres struct {
	t      testing.TB
	bin    string // folder of its programs
	folder string
	port   int
	as     *syscall.Credential // nil: whoever we are
	server *exec.Cmd
	made   atomic.Int64 // databases
}

// PostgresPassword is that of the server's only user. Nothing may ever show it.
const PostgresPassword = "pa55-which-nobody-sees"

// StartPostgres makes and starts a server, which ends with the test. Without
// PostgreSQL on the machine the test is skipped by name, or fails where peers are
// required.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	p := newPostgres(t)
	password := filepath.Join(p.folder, "password")
	p.must(os.WriteFile(password, []byte(PostgresPassword+"\n"), 0o644))
	made, err := p.command("initdb", "--no-sync", "--encoding=UTF8", "--locale=C", "--username=konbill", "--auth=scram-sha-256",
		"--pwfile="+password, "--pgdata="+p.data()).CombinedOutput()
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, made)
	}
	p.Start()
	t.Cleanup(p.Stop)
	return p
}

// newPostgres has no data yet.
func newPostgres(t testing.TB) *Postgres {
	t.Helper()
	p := &Postgres{t: t, bin: filepath.Dir(PostgresPath(t)), port: freePort(t)}
	var err error
	p.folder, err = os.MkdirTemp("", "konbill-postgres-")
	p.must(err)
	t.Cleanup(func() { p.must(os.RemoveAll(p.folder)) })
	p.asAnybody()
	return p
}

// StartStandby makes and starts a server that follows this one, and for which its
// commits wait, or don't.
func (p *Postgres) StartStandby(synchronous bool) *Postgres {
	p.t.Helper()
	s := newPostgres(p.t)
	copied, err := s.command("pg_basebackup", "--pgdata="+s.data(), "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
		"--dbname="+p.URL("postgres")).CombinedOutput()
	if err != nil {
		p.t.Fatalf("pg_basebackup: %v\n%s", err, copied)
	}
	s.Start()
	p.t.Cleanup(s.Stop)
	if synchronous {
		p.Exec(p.URL("postgres"), "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
	}
	return s
}

// FallBehind has a standby receive nothing more.
func (p *Postgres) FallBehind() {
	p.t.Helper()
	p.Exec(p.URL("postgres"), "ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
	db, err := sql.Open("pgx", p.URL("postgres"))
	p.must(err)
	defer db.Close()
	for receivers := -1; receivers != 0; {
		p.must(db.QueryRow("SELECT count(*) FROM pg_stat_wal_receiver").Scan(&receivers))
	}
}

// Promote has a standby take over, and returns once it takes writes.
func (p *Postgres) Promote() {
	p.t.Helper()
	p.Exec(p.URL("postgres"), "SELECT pg_promote(true)")
}

// Crash ends the server as if it had failed.
func (p *Postgres) Crash() {
	p.t.Helper()
	p.must(p.server.Process.Signal(syscall.SIGQUIT)) // an immediate shutdown
	_ = p.server.Wait()
}

// PostgresPath finds the server, which Debian keeps out of the way. Without one it is
// as Path.
func PostgresPath(t testing.TB) string {
	t.Helper()
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(installed) == 0 {
		return Path(t, "postgres")
	}
	slices.Sort(installed)
	return installed[len(installed)-1]
}

// asAnybody gives the folder to another user where we are root: the server doesn't
// run as root.
func (p *Postgres) asAnybody() {
	if os.Geteuid() != 0 {
		return
	}
	nobody, err := user.Lookup("postgres")
	p.must(err)
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	p.must(err)
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	p.must(err)
	p.must(os.Chown(p.folder, int(uid), int(gid)))
	p.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (p *Postgres) data() string { return filepath.Join(p.folder, "data") }

func (p *Postgres) command(program string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(p.bin, program), args...)
	c.Dir = p.folder
	c.Env = append(os.Environ(), "LC_ALL=C")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	return c
}

// Start starts the server again after Stop, and returns once it takes connections.
func (p *Postgres) Start() {
	p.t.Helper()
	p.server = p.command("postgres", "-D", p.data(), "-p", strconv.Itoa(p.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
	says, err := p.server.StderrPipe()
	p.must(err)
	p.must(p.server.Start())
	var said strings.Builder
	for lines := bufio.NewScanner(says); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if strings.Contains(lines.Text(), "ready to accept") {
			go io.Copy(io.Discard, says)
			return
		}
	}
	p.t.Fatalf("the server doesn't start: %v\n%s", p.server.Wait(), said.String())
}

// Stop ends the server and all its connections.
func (p *Postgres) Stop() {
	p.t.Helper()
	if p.server.ProcessState != nil {
		return
	}
	p.must(p.server.Process.Signal(os.Interrupt)) // a fast shutdown
	if err := p.server.Wait(); err != nil {
		p.t.Errorf("the server ends with %v", err)
	}
}

// NewDatabase makes an empty database and returns its URL.
func (p *Postgres) NewDatabase() string {
	p.t.Helper()
	name := fmt.Sprintf("konbill_%d", p.made.Add(1))
	p.Exec(p.URL("postgres"), "CREATE DATABASE "+name)
	return p.URL(name)
}

// URL is that of a database, with the password.
func (p *Postgres) URL(database string) string { return urlOf(database, p) }

// URLOfBoth is that of a database which the other server has when this one fails.
func (p *Postgres) URLOfBoth(other *Postgres, database string) string {
	return urlOf(database, p, other)
}

func urlOf(database string, servers ...*Postgres) string {
	var addresses []string
	for _, s := range servers {
		addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", s.port))
	}
	return fmt.Sprintf("postgres://konbill:%s@%s/%s?sslmode=disable", PostgresPassword, strings.Join(addresses, ","), database)
}

// Exec executes statements on a database.
func (p *Postgres) Exec(url string, statements ...string) {
	p.t.Helper()
	db, err := sql.Open("pgx", url)
	p.must(err)
	defer db.Close()
	for _, s := range statements {
		_, err := db.Exec(s)
		p.must(err)
	}
}

func (p *Postgres) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
