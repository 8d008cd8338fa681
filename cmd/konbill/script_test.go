package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"konbill/batch/omise/omisetest"
	"konbill/mailer/mailertest"
)

// scriptNow is the clock of the scripts: 1 December 2026, 10:00 in Japan.
var scriptNow = time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	testscript.Main(overheardSuite{m}, map[string]func(){
		"konbill": func() { os.Exit(konbillInScript()) },
	})
}

// TestScripts runs the command line as people do. Every script has a practice
// API and a mail server of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup:               setUpScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"encode":   encode,
			"ends":     endCharge,
			"later":    passTime,
			"api":      orderFault,
			"crashes":  crashes,
			"hold":     holdAnswer,
			"lag":      lagLists,
			"await":    awaitHeld,
			"oldest":   compareOldest,
			"plant":    plantCharges,
			"release":  releaseAnswer,
			"revoke":   revokeKey,
			"smtp":     scriptSMTP,
			"charges":  countCharges,
			"mails":    countMails,
			"requests": countRequests,
			"same":     sameColumn,
			"cell":     cell,
			"mode":     checkMode,
			"publish":  publishInScript,
			"keys":     makeKeys,
			"signed":   checkSigned,
			"pages":    countPages,
		},
	})
}

type (
	peersKey struct{}
	heldKey  struct{}
)

// countPages compares the pages of a PDF file: pages FILE N.
func countPages(ts *testscript.TestScript, _ bool, args []string) {
	api.DisableConfigDir()
	n, err := api.PageCountFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if want := args[1]; strconv.Itoa(n) != want {
		ts.Fatalf("%s has %d pages, want %s", args[0], n, want)
	}
}

func setUpScript(env *testscript.Env) error {
	p, stop, err := startPeers(env.WorkDir)
	if err != nil {
		return err
	}
	env.Defer(stop)
	env.Values[peersKey{}] = p
	env.Values[heldKey{}] = new(held)
	for _, setting := range p.environment(env.WorkDir) {
		name, value, _ := strings.Cut(setting, "=")
		env.Setenv(name, value)
	}
	return nil
}

func peersOf(ts *testscript.TestScript) *peers { return ts.Value(peersKey{}).(*peers) }

// exits runs a command and compares its exit code: exits 3 konbill run x.csv.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%q exits with %d, want %d", args[1:], got, want)
	}
}

// encode writes a UTF-8 file in another encoding: encode cp932 from.csv to.csv.
// With tabs, commas become tabs, as in Excel's Unicode text.
func encode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: encode cp932|utf-16le|tabs FROM TO")
	}
	text := ts.ReadFile(args[1])
	switch args[0] {
	case "cp932":
		encoded, err := japanese.ShiftJIS.NewEncoder().String(text)
		ts.Check(err)
		text = encoded
	case "utf-16le":
		encoded, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.ReplaceAll(text, ",", "\t"))
		ts.Check(err)
		text = encoded
	default:
		ts.Fatalf("no encoding %q", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(text), 0o600))
}

// orderFault makes the practice API fail: api cut_after POST /charges 2.
func orderFault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: api FAULT METHOD PATH COUNT")
	}
	count, err := strconv.Atoi(args[3])
	ts.Check(err)
	peersOf(ts).api.Order(omisetest.Fault{Kind: omisetest.FaultKind(args[0]), Method: args[1], Path: args[2], Count: count})
}

// crashes lets konbill run until it is killed at a point: crashes
// charge_answered:1 konbill run x.csv.
func crashes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: crashes POINT:N COMMAND...")
	}
	ts.Setenv(scriptCrashAt, args[0])
	err := ts.Exec(args[1], args[2:]...)
	ts.Setenv(scriptCrashAt, "")
	if err == nil || !strings.Contains(ts.ReadFile("stderr"), crashed(args[0])) {
		ts.Fatalf("%q never came to %s: %v", args[1:], args[0], err)
	}
	ts.Check(peersOf(ts).settle())
}

// holdAnswer lets the practice API do what it is asked next, and not answer:
// hold POST /charges.
func holdAnswer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hold METHOD PATH")
	}
	*heldBy(ts) = peersOf(ts).hold(args[0], args[1], 1)
}

// awaitHeld waits until the answer of hold is due.
func awaitHeld(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: await")
	}
	<-heldBy(ts).come
}

// releaseAnswer lets the answer of hold go.
func releaseAnswer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: release")
	}
	heldBy(ts).release()
}

func heldBy(ts *testscript.TestScript) *held { return ts.Value(heldKey{}).(*held) }

// lagLists makes the practice API's lists show charges so much later: lag 1h.
func lagLists(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: lag DURATION")
	}
	behind, err := time.ParseDuration(args[0])
	ts.Check(err)
	peersOf(ts).api.SetListLag(behind)
}

// plantCharges makes charges that konbill doesn't know of: one that another
// ledger made under a number, plant L-1 3000, or so many of other programs,
// plant 250.
func plantCharges(ts *testscript.TestScript, neg bool, args []string) {
	p := peersOf(ts)
	switch {
	case !neg && len(args) == 2:
		ts.Check(p.plant(args[0], args[1]))
	case !neg && len(args) == 1:
		count, err := strconv.Atoi(args[0])
		ts.Check(err)
		for range count {
			ts.Check(p.plantWith("1000", nil))
		}
	default:
		ts.Fatalf("usage: plant NUMBER AMOUNT, or plant COUNT")
	}
}

// compareOldest compares the one charge of a results file with the oldest that
// was made under a number: oldest R-3 x.csv.
func compareOldest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: oldest NUMBER FILE")
	}
	made, kept := peersOf(ts).charged()[args[0]], column(ts, args[1], "charge_id")
	if len(made) == 0 || !slices.Equal(kept, made[:1]) {
		ts.Fatalf("%s: made %q, kept %q", args[0], made, kept)
	}
}

// revokeKey lets the practice API refuse the key after so many charges more:
// revoke 2. A negative number takes that back.
func revokeKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: revoke COUNT")
	}
	charges, err := strconv.Atoi(args[0])
	ts.Check(err)
	peersOf(ts).revokeAfter(charges)
}

// scriptSMTP makes the mail server refuse an address from now on, or none any
// more: smtp 550 nobody@example.jp, smtp ok.
func scriptSMTP(ts *testscript.TestScript, neg bool, args []string) {
	mail := peersOf(ts).mail
	switch {
	case !neg && len(args) == 1 && args[0] == "ok":
		mail.Forgive()
	case !neg && len(args) == 2:
		code, err := strconv.Atoi(args[0])
		ts.Check(err)
		mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: code, Text: "as ordered", Recipient: args[1]})
	default:
		ts.Fatalf("usage: smtp CODE ADDRESS, or smtp ok")
	}
}

// countCharges compares how many charges were really made.
func countCharges(ts *testscript.TestScript, neg bool, args []string) {
	compareCount(ts, neg, args, "charges", len(peersOf(ts).api.Charges()))
}

// countMails compares how many mails the mail server took.
func countMails(ts *testscript.TestScript, neg bool, args []string) {
	compareCount(ts, neg, args, "mails", len(peersOf(ts).mail.Messages()))
}

func compareCount(ts *testscript.TestScript, neg bool, args []string, what string, have int) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: %s COUNT", what)
	}
	if args[0] != strconv.Itoa(have) {
		ts.Fatalf("%d %s, want %s", have, what, args[0])
	}
}

// countRequests compares how many requests konbill made: requests POST /charges 3.
func countRequests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: requests METHOD PATH COUNT")
	}
	n := peersOf(ts).requests(args[0], args[1])
	if strconv.Itoa(n) != args[2] {
		ts.Fatalf("%d requests %s %s, want %s", n, args[0], args[1], args[2])
	}
}

// sameColumn compares a column of two results files: same a.csv b.csv payment_code.
func sameColumn(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: same FILE FILE COLUMN")
	}
	a, b := column(ts, args[0], args[2]), column(ts, args[1], args[2])
	if slices.Equal(a, b) == neg {
		ts.Fatalf("column %s: %q and %q", args[2], a, b)
	}
}

// cell compares one cell of a CSV file: cell results.csv 2 result issued. Rows
// count from 1, below the header.
func cell(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: cell FILE ROW COLUMN VALUE")
	}
	row, err := strconv.Atoi(args[1])
	ts.Check(err)
	values := column(ts, args[0], args[2])
	if row < 1 || row > len(values) {
		ts.Fatalf("%s has %d rows", args[0], len(values))
	}
	if (values[row-1] == args[3]) == neg {
		ts.Fatalf("%s, row %d, %s: %q", args[0], row, args[2], values[row-1])
	}
}

// column reads a column with a reader that isn't ours.
func column(ts *testscript.TestScript, file, name string) []string {
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(ts.ReadFile(file), "\uFEFF"))).ReadAll()
	ts.Check(err)
	at := slices.Index(rows[0], name)
	if at < 0 {
		ts.Fatalf("%s has no column %q: %q", file, name, rows[0])
	}
	var values []string
	for _, row := range rows[1:] {
		values = append(values, row[at])
	}
	return values
}

// checkMode compares a file's permissions: mode konbill.db 600.
func checkMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode FILE OCTAL")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if have := fmt.Sprintf("%o", info.Mode().Perm()); have != args[1] && runtime.GOOS != "windows" {
		ts.Fatalf("%s has mode %s, want %s", args[0], have, args[1])
	}
}
