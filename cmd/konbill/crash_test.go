package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
)

// scene is a run that comes to points which others don't.
type scene struct {
	name     string
	settings []string
	before   func(*shop) // what happens before the run
	points   []batch.Point
	charges  int      // requests for a charge that it takes in all, crash or not
	foreign  []string // numbers that another ledger has issued

	mailsMeanwhile bool // while a slip is stored, as where several machines may settle
}

const (
	oneByOne    = "KONBILL_OMISE__WORKERS=1" // what a crash leaves behind is then one invoice
	sourceFirst = "KONBILL_OMISE__FLOW=source-first"
)

// crashNumbers are the invoices of every scene; a row that is rejected follows.
var crashNumbers = []string{"C-1", "C-2"}

var scenes = []scene{
	{
		name: "one request", settings: []string{oneByOne}, charges: 2,
		points: []batch.Point{
			batch.LockTaken, batch.AccountAsked, batch.AccountRemembered, batch.JobOpening, batch.JobOpened,
			batch.SweepListing, batch.SweepListed, batch.SweepRecorded,
			batch.ChargeIntending, batch.ChargeIntended, batch.ChargeAsking, batch.ChargeAnswered, batch.ChargeRecorded,
			batch.MailIntending, batch.MailIntended, batch.MailSending, batch.MailAnswered, batch.MailRecorded,
			batch.SlipWriting, batch.SlipWritten, batch.ResultsWriting, batch.ResultsWritten, batch.ErrorsWritten,
			batch.ReceiptWritten, batch.JobClosed, batch.LockReleased,
		},
	},
	{
		name: "source first", settings: []string{oneByOne, sourceFirst}, charges: 2,
		points: []batch.Point{
			batch.ChargeIntended, batch.SourceAsking, batch.SourceAnswered, batch.SourceRecorded,
			batch.ChargeAsking, batch.ChargeAnswered, batch.ChargeRecorded,
		},
	},
	{
		name: "answer lost", settings: []string{oneByOne}, charges: 2, before: loseAnswer,
		points: []batch.Point{batch.RefusalRecorded, batch.UnknownFound},
	},
	{
		name: "answer lost, source first", settings: []string{oneByOne, sourceFirst}, charges: 2, before: loseAnswer,
		points: []batch.Point{batch.RefusalRecorded, batch.UnknownFound},
	},
	{
		name: "request lost", settings: []string{oneByOne}, charges: 3, before: loseRequest,
		points: []batch.Point{batch.RefusalRecorded, batch.UnknownMissed, batch.UnknownAbsent},
	},
	{
		name: "request lost, source first", settings: []string{oneByOne, sourceFirst}, charges: 3, before: loseRequest,
		points: []batch.Point{batch.RefusalRecorded, batch.UnknownMissed, batch.UnknownAbsent},
	},
	{
		name: "issued elsewhere", settings: []string{oneByOne}, charges: 1, foreign: []string{"C-1"},
		before: func(s *shop) { s.must(s.plant("C-1", "3000")) },
		points: []batch.Point{batch.SweepAdopted},
	},
	{
		name: "half-written files", settings: []string{oneByOne}, charges: 2, before: leaveHalfWritten,
		points: []batch.Point{batch.LockTaken, batch.SlipWriting, batch.ResultsWriting},
	},
}

func loseAnswer(s *shop) {
	s.api.Order(omisetest.Fault{Kind: omisetest.CutAfter, Method: "POST", Path: "/charges"})
}

func loseRequest(s *shop) {
	s.api.Order(omisetest.Fault{Kind: omisetest.CutBefore, Method: "POST", Path: "/charges"})
}

// TestScenesReachEveryPoint keeps a new point from going untested.
func TestScenesReachEveryPoint(t *testing.T) {
	reached := map[batch.Point]bool{}
	for _, scene := range scenes {
		for _, point := range scene.points {
			reached[point] = true
		}
	}
	for _, point := range batch.Points {
		if !reached[point] {
			t.Errorf("no scene is cut short at %s", point)
		}
	}
	if len(reached) != len(batch.Points) {
		t.Errorf("%d points in scenes, %d in all", len(reached), len(batch.Points))
	}
}

// TestCrashPoints kills the real process at every durable boundary, runs the
// file again, and compares with what the API and the mail server really did.
func TestCrashPoints(t *testing.T) {
	for _, scene := range scenes {
		for _, point := range scene.points {
			t.Run(fmt.Sprintf("%s/%s", scene.name, point), func(t *testing.T) {
				t.Parallel()
				scene.play(newShop(t, scene.settings...), point)
			})
		}
	}
}

// TestRemindCrashPoints kills the real process on the way of a reminder, and
// reminds again: nobody is reminded twice, and who perhaps was isn't again.
func TestRemindCrashPoints(t *testing.T) {
	for _, point := range batch.NoticePoints {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			s := newShop(t, oneByOne, "KONBILL_FOLLOW__REMIND_BEFORE=3d")
			s.konbill(exitDone, "run", s.file("rows.csv", crashNumbers...))
			s.must(s.clock.jump(27 * 24 * time.Hour))
			s.crash(string(point)+":1", "remind")
			fateUnknown := slices.Contains([]batch.Point{batch.NoticeIntended, batch.NoticeSending, batch.NoticeAnswered}, point)
			s.konbill(map[bool]int{true: exitNeedsPerson, false: exitDone}[fateUnknown], "remind")
			s.konbill(exitDone, "remind")
			mails := s.mailed()
			sent := map[batch.Point]int{batch.NoticeIntended: 1, batch.NoticeSending: 1}[point]
			if sent == 0 {
				sent = 2
			}
			if mails["C-1"] != sent || mails["C-2"] != 2 {
				t.Errorf("mails %v, want %d and 2", mails, sent)
			}
			if charges := s.requests("POST", "/charges"); charges != len(crashNumbers) {
				t.Errorf("%d requests for a charge", charges)
			}
		})
	}
}

// TestCrashPointsOfAReissue kills the process on its way to bills that take the
// place of others. What it has accepted is issued by the next run, once, without
// being asked to reissue.
func TestCrashPointsOfAReissue(t *testing.T) {
	for _, settings := range [][]string{{oneByOne}, {oneByOne, sourceFirst}} {
		for _, point := range []batch.Point{
			batch.JobOpened, batch.SweepListed, batch.ChargeIntending, batch.ChargeIntended, batch.ChargeAsking,
			batch.ChargeAnswered, batch.ChargeRecorded, batch.MailIntending, batch.MailRecorded, batch.ResultsWriting,
		} {
			t.Run(fmt.Sprintf("%s/%s", settings[len(settings)-1], point), func(t *testing.T) {
				t.Parallel()
				s := newShop(t, settings...)
				file := s.file("rows.csv", crashNumbers...)
				s.konbill(exitDone, "run", file)
				s.must(s.clock.jump(1000 * time.Hour))
				s.crash(string(point)+":1", "run", "--reissue-expired", file)
				s.konbill(exitDone, "run", file)
				s.issuedTwice(file)
			})
		}
	}
}

// issuedTwice wants one bill under every number that can be paid, behind one that
// expired, and the results to tell of it.
func (s *shop) issuedTwice(file string) {
	s.Helper()
	statuses := map[string][]string{}
	for _, c := range s.api.Charges() {
		number := c.Metadata["invoice_no"]
		statuses[number] = append(statuses[number], c.Status)
	}
	rows, charged := s.results(file), s.charged()
	for i, number := range crashNumbers {
		if !slices.Equal(statuses[number], []string{"expired", "pending"}) || rows[i]["charge_id"] != charged[number][1] {
			s.Errorf("%s: charges %q are %q, the results say %q", number, charged[number], statuses[number], rows[i]["charge_id"])
		}
		if n := s.mailed()[number]; n != 2 || rows[i]["mail"] != string(batch.Mailed) {
			s.Errorf("%s: %d mails, and %s", number, n, rows[i]["mail"])
		}
	}
	s.balances(file)
	s.leavesNothing()
}

func (c scene) play(s *shop, point batch.Point) {
	file := s.file("rows.csv", crashNumbers...)
	s.appendRow(file, "C-3,山田太郎,taro@example.jp,09011112222,30")
	if c.before != nil {
		c.before(s)
	}
	s.crash(string(point)+":1", "run", file)
	s.konbill(exitNeedsPerson, "run", file) // for the rejected row
	c.check(s, file, point)
}

// check compares what everybody has in the end.
func (c scene) check(s *shop, file string, point batch.Point) {
	if got := s.requests("POST", "/charges"); got != c.charges {
		s.Errorf("%d requests for a charge, want %d", got, c.charges)
	}
	rows := s.results(file)
	if len(rows) != len(crashNumbers)+1 || rows[len(rows)-1]["result"] != string(batch.Rejected) {
		s.Fatalf("results: %q", rows)
	}
	charged, held := s.charged(), 0
	for i, number := range crashNumbers {
		row := rows[i]
		if ids := charged[number]; len(ids) != 1 || row["charge_id"] != ids[0] {
			s.Errorf("%s: charged %q, the results say %q", number, ids, row["charge_id"])
		}
		if row["result"] != string(batch.Issued) && row["result"] != string(batch.AlreadyIssued) {
			s.Errorf("%s: result %q", number, row["result"])
		}
		c.checkMail(s, number, row["mail"])
		if row["mail"] == string(batch.Held) {
			held++
		}
		s.exists(file, row["slip"])
	}
	fateUnknown := []batch.Point{batch.MailIntended, batch.MailSending, batch.MailAnswered}
	atSlip := point == batch.SlipWriting || point == batch.SlipWritten
	if want := slices.Contains(fateUnknown, point); (held == 1) != want && !(c.mailsMeanwhile && atSlip) || held > 1 {
		s.Errorf("killed at %s: %d mails held", point, held)
	}
	s.balances(file)
	s.leavesNothing()
}

// checkMail compares what the results say of a mail with what was delivered.
func (c scene) checkMail(s *shop, number, mail string) {
	sent := s.mailed()[number]
	switch {
	case slices.Contains(c.foreign, number):
		if mail != "" || sent != 0 {
			s.Errorf("%s was issued elsewhere: mail %q, %d sent", number, mail, sent)
		}
	case mail == string(batch.Mailed) && sent == 1, mail == string(batch.Held) && sent <= 1:
	default:
		s.Errorf("%s: mail %q, %d sent", number, mail, sent)
	}
}

func (s *shop) appendRow(file, row string) {
	s.Helper()
	path := filepath.Join(s.dir, file)
	text, err := os.ReadFile(path)
	s.must(err)
	s.must(os.WriteFile(path, append(text, row+"\n"...), 0o600))
}

// mailed counts the mails delivered, by invoice number: the slip is attached
// under it.
func (s *shop) mailed() map[string]int {
	s.Helper()
	mails := map[string]int{}
	for _, m := range s.mail.Messages() {
		name := attachment.FindSubmatch(m.Data)
		if name == nil {
			s.Fatalf("a mail without a slip:\n%s", m.Data)
		}
		mails[string(name[1])]++
	}
	return mails
}

var attachment = regexp.MustCompile(`filename="[^"]*?([A-Z]-[0-9]+)\.pdf"`)

func (s *shop) exists(file, slip string) {
	s.Helper()
	if info, err := os.Stat(filepath.Join(s.resultsDir(file), slip)); slip == "" || err != nil || info.Size() == 0 {
		s.Errorf("slip %q: %v", slip, err)
	}
}

// balances makes sure that the receipt lost no row and no yen.
func (s *shop) balances(file string) {
	s.Helper()
	data, err := os.ReadFile(filepath.Join(s.resultsDir(file), "receipt.json"))
	s.must(err)
	var receipt batch.Receipt
	s.must(json.Unmarshal(data, &receipt))
	if receipt.RowsIn != receipt.Results.All() || receipt.RowsIn.Rows != len(s.results(file)) || receipt.Stopped != "" {
		s.Errorf("the receipt: %s", data)
	}
}

// leavesNothing makes sure that no half-written file is left, be it among the
// results, the slips or the mails.
func (s *shop) leavesNothing() {
	s.Helper()
	s.must(filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".tmp" {
			s.Errorf("left behind: %s", path)
		}
		return err
	}))
}

// leaveHalfWritten leaves what a process that is killed within a write does.
func leaveHalfWritten(s *shop) {
	for _, folder := range []string{s.resultsDir("rows.csv"), filepath.Join(s.resultsDir("rows.csv"), "slips")} {
		s.must(os.MkdirAll(folder, 0o700))
		s.must(os.WriteFile(filepath.Join(folder, ".konbill-123.tmp"), []byte("half of it"), 0o600))
	}
}
