//go:build unix

package ledger

import (
	"errors"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
	"konbill/samples/peertest"
)

// sharer is a machine that takes its share.
type sharer struct {
	*testing.T
	*Ledger
	whole    Whole
	underWay int
	obeyed   Share
}

func newSharer(t *testing.T, url string) *sharer {
	return &sharer{T: t, Ledger: openURL(t, url), whole: Whole{PerSecond: 10, AtOnce: 8}}
}

func (s *sharer) claims(c Claim) Share {
	s.Helper()
	c.Name, c.Whole = "host", s.whole
	share, err := s.TakeShare(s.Context(), c, func(share Share) int { s.obeyed = share; return s.underWay })
	if err != nil {
		s.Fatal(err)
	}
	if s.obeyed != share {
		s.Errorf("it obeys %+v, and has %+v", s.obeyed, share)
	}
	return share
}

func (s *sharer) has(perSecond float64, atOnce int) {
	s.Helper()
	if got := s.claims(Claim{Wants: true}); got.PerSecond != perSecond || got.AtOnce != atOnce {
		s.Errorf("it may ask %v a second and %d at once, want %v and %d", got.PerSecond, got.AtOnce, perSecond, atOnce)
	}
}

// TestShares: what machines may ask together is never more than the whole.
func TestShares(t *testing.T) {
	server := peertest.StartPostgres(t)
	for name, test := range map[string]func(t *testing.T, server *peertest.Postgres, url string){
		"equal": testEqualShares, "silent": testShareOfTheSilent, "idle": testShareOfTheIdle, "odd": testOddShares, "too many": testTooMany, "left": testJobsLeft, "purged": testFilesArePurged,
	} {
		t.Run(name, func(t *testing.T) { test(t, server, server.NewDatabase()) })
	}
}

func testEqualShares(t *testing.T, server *peertest.Postgres, url string) {
	first, second := newSharer(t, url), newSharer(t, url)
	first.has(10, 8)
	second.has(0, 0) // the first hasn't given way
	first.underWay = 6
	first.has(5, 4)
	second.has(5, 2) // six of the first's requests are still under way
	first.underWay = 1
	first.has(5, 4)
	second.has(5, 4)
	if err := first.LeaveShare(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.has(10, 8)
}

func testShareOfTheSilent(t *testing.T, server *peertest.Postgres, url string) {
	first, second := newSharer(t, url), newSharer(t, url)
	first.has(10, 8)
	server.Exec(url, "UPDATE machine SET share_at = share_at - INTERVAL '6 seconds'")
	second.has(0, 0)
	server.Exec(url, "UPDATE machine SET share_at = share_at - INTERVAL '2 seconds' WHERE per_second > 0")
	second.has(10, 8)
	if sharing, err := second.Sharing(t.Context()); err != nil || len(sharing) != 1 {
		t.Errorf("sharing: %v (%v)", sharing, err)
	}
	first.has(0, 0) // it wakes, and must wait
}

func testShareOfTheIdle(t *testing.T, server *peertest.Postgres, url string) {
	first, second := newSharer(t, url), newSharer(t, url)
	first.has(10, 8)
	second.has(0, 0)
	if got := first.claims(Claim{}); got.PerSecond != 0 || got.AtOnce != 0 {
		t.Errorf("idle, it has %+v", got)
	}
	second.has(10, 8)
	second.claims(Claim{})
	if got := first.claims(Claim{}); got.PerSecond != 5 || got.AtOnce != 4 {
		t.Errorf("with all idle, it has %+v", got)
	}
}

// With fewer requests than machines each has its time.
func testOddShares(t *testing.T, server *peertest.Postgres, url string) {
	first, second := newSharer(t, url), newSharer(t, url)
	first.whole.AtOnce, second.whole.AtOnce = 1, 1
	had := map[*sharer]bool{}
	for over := time.After(4 * passOnEvery); len(had) < 2; {
		select {
		case <-over:
			t.Fatalf("only %d of two have had their time", len(had))
		default:
		}
		now := 0
		for _, s := range []*sharer{first, second} {
			atOnce := s.claims(Claim{Wants: true}).AtOnce
			had[s] = had[s] || atOnce == 1
			if !had[s] {
				delete(had, s)
			}
			now += atOnce
		}
		if now > 1 {
			t.Fatalf("%d at once", now)
		}
	}
}

func testTooMany(t *testing.T, server *peertest.Postgres, url string) {
	first, second := newSharer(t, url), newSharer(t, url)
	if got := first.claims(Claim{Wants: true}); !got.TooMany.IsZero() {
		t.Errorf("too many at %s", got.TooMany)
	}
	told := second.claims(Claim{Wants: true, TooMany: true})
	if got := first.claims(Claim{Wants: true}); told.TooMany.IsZero() || !got.TooMany.Equal(told.TooMany) {
		t.Errorf("one was told at %s, the other hears of %s", told.TooMany, got.TooMany)
	}
}

// The file of a machine that was lost is another's to finish, once.
func testJobsLeft(t *testing.T, server *peertest.Postgres, url string) {
	first, second, third := newSharer(t, url), newSharer(t, url), newSharer(t, url)
	left := func(want int) []batch.Job {
		t.Helper()
		jobs, err := second.JobsLeft(t.Context())
		if err != nil || len(jobs) != want {
			t.Fatalf("%d jobs are left, want %d (%v)", len(jobs), want, err)
		}
		return jobs
	}
	first.claims(Claim{})
	for range 2 { // run again, it is kept once
		if _, _, err := ledgertest.OpenJob(t.Context(), first, batch.Job{File: "rows.csv", SHA256: "aa", Account: account, StartedAt: opened, Content: []byte("rows")}, nil); err != nil {
			t.Fatal(err)
		}
	}
	left(0)
	server.Exec(url, "UPDATE machine SET share_at = share_at - INTERVAL '8 seconds'")
	job := left(1)[0]
	second.claims(Claim{})
	third.claims(Claim{})
	if content, err := second.TakeJobLeft(t.Context(), job.ID); err != nil || string(content) != "rows" {
		t.Errorf("%q, %v", content, err)
	}
	if _, err := third.TakeJobLeft(t.Context(), job.ID); !errors.Is(err, batch.ErrNotFound) {
		t.Errorf("it is taken twice: %v", err)
	}
	left(0)
	if err := second.CloseJob(t.Context(), job.ID, opened, nil); err != nil {
		t.Fatal(err)
	}
	server.Exec(url, "DO $$ BEGIN IF EXISTS (SELECT FROM file) THEN RAISE 'a file is kept'; END IF; END $$")
}

// A file that nobody finishes goes with the personal data of its invoices.
func testFilesArePurged(t *testing.T, server *peertest.Postgres, url string) {
	l := newSharer(t, url)
	row := invoices(1)
	_, verdicts, err := ledgertest.OpenJob(t.Context(), l, batch.Job{File: "rows.csv", SHA256: "aa", Account: account, StartedAt: opened, Content: []byte("rows")}, row)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Purge(t.Context(), batch.Move{Key: verdicts[0].Entry.Key, From: batch.Accepted, To: batch.Accepted, At: opened}); err != nil {
		t.Fatal(err)
	}
	server.Exec(url, "DO $$ BEGIN IF EXISTS (SELECT FROM file) THEN RAISE 'a file is kept'; END IF; END $$")
}
