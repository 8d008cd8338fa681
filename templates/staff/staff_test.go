package staff

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"konbill/invoice"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var both = []invoice.Language{invoice.Japanese, invoice.English}

func inJapan(day, hour, minute int) time.Time {
	return time.Date(2026, time.December, day, hour, minute, 0, 0, invoice.Japan).UTC()
}

func sakura(language invoice.Language) Sender {
	if language == invoice.English {
		return Sender{Language: language, Merchant: "Sakura Store", Live: true}
	}
	return Sender{Language: language, Merchant: "さくら商店", Live: true}
}

// in picks the text of a language.
func in(language invoice.Language, japanese, english string) string {
	if language == invoice.English {
		return english
	}
	return japanese
}

func quietNight(language invoice.Language) Night {
	return Night{
		Sender: sakura(language), Due: inJapan(1, 2, 0), Began: inJapan(1, 2, 0), Ended: inJapan(1, 2, 4),
		Inbox: `\\server\keiri\inbox`, Outbox: `\\server\keiri\outbox`,
	}
}

func fineNight(language invoice.Language) Night {
	n := quietNight(language)
	n.Files = []File{{
		Name: "請求_12月分.csv", ID: "20261201-請求_12月分", Outcome: Finished, Control: true, Rows: Sum{120, 1_234_567},
		Results:  []ResultSum{{Issued, Sum{120, 1_234_567}}},
		Mail:     Mails{Mailed: 120},
		Attached: []string{"20261201-請求_12月分.results.csv"},
	}}
	return n
}

// terribleNight has everything that can go wrong in a pass that goes on.
func terribleNight(l invoice.Language) Night {
	n := fineNight(l)
	n.CaughtUp, n.Began, n.Ended = true, inJapan(1, 8, 31), inJapan(1, 8, 52)
	first := &n.Files[0]
	first.Rows = Sum{127, 1_290_467}
	first.Results = []ResultSum{
		{Issued, Sum{118, 1_214_567}}, {AlreadyIssued, Sum{2, 20_000}}, {Rejected, Sum{3, 5_900}}, {NotIssued, Sum{2, 20_000}}, {Unknown, Sum{2, 30_000}},
	}
	first.Mail = Mails{Mailed: 115, Deferred: 2, Refused: 2, Held: 1}
	first.Rejected = []Reject{
		{12, "INV-1012", in(l, "「1e3」は金額として読み取れません。", "\"1e3\" can't be read as an amount.")},
		{31, "INV-1031", in(l, "別の内容で発行済みの請求書番号です。", "The number was issued with other content.")},
		{77, "", in(l, "請求書番号がありません。", "The invoice number is missing.")},
	}
	first.NotIssued = []Numbered{
		{"INV-1040", in(l, "決済サービスが請求を受け付けませんでした（invalid_charge）。", "The payment service declined the charge (invalid_charge).")},
		{"INV-1041", in(l, "決済サービスが請求を受け付けませんでした（invalid_charge）。", "The payment service declined the charge (invalid_charge).")},
	}
	first.Unknown = []Numbered{{"INV-1050", in(l, "9:00 に再確認します", "looked for again at 9:00")}, {"INV-1051", ""}}
	first.MailTrouble = []Numbered{
		{"INV-1060", in(l, "メールサーバーに拒否されました（550 5.1.1）。", "The mail server refused it (550 5.1.1).")},
		{"INV-1061", in(l, "メールサーバーに拒否されました（550 5.1.1）。", "The mail server refused it (550 5.1.1).")},
		{"INV-1062", in(l, "届いたかどうか分かりません。", "It may or may not have arrived.")},
	}
	first.NotAttached, first.Attached = first.Attached, []string{"20261201-請求_12月分.errors.csv"}
	n.Files = append(n.Files,
		File{
			Name: "会費.csv", ID: "20261201-会費", Outcome: Failed,
			Reason: in(l, "合計ファイルは 12件 123,456円ですが、ファイルは 11件 120,456円です。", "The control total says 12 rows, ¥123,456; the file has 11 rows, ¥120,456."),
			Rows:   Sum{11, 120_456},
		},
		File{
			Name: "追加.csv", ID: "20261201-追加", Outcome: Unfinished, Resumed: true,
			Reason: in(l, "決済サービスに接続できません。", "The payment service can't be reached."),
			Rows:   Sum{10, 30_000}, Results: []ResultSum{{Issued, Sum{4, 12_000}}, {NotIssued, Sum{6, 18_000}}}, Mail: Mails{Mailed: 4},
		},
		repeated(),
	)
	n.Waiting = []Waiting{{"A.csv", StillChanging}, {"B.xlsx.csv", OpenInExcel}, {"C.csv", CannotOpen}, {"D.csv", NoTotal}, {"E.csv", TwoTotals}, {"F.csv", SharedTotal}}
	n.Retried = someRetries(l)
	n.HolidayListEnds = 2027
	return n
}

func repeated() File {
	return File{
		Name: "請求_11月分（コピー）.csv", ID: "20261201-請求_11月分（コピー）", Outcome: Duplicate,
		Before: inJapan(-30, 2, 1), First: "請求_11月分.csv", Rows: Sum{98, 980_000},
	}
}

func someRetries(l invoice.Language) *Retries {
	return &Retries{
		Mailed: []string{"INV-901", "INV-902"}, StillDeferred: []string{"INV-903"},
		MailGivenUp:  []Numbered{{"INV-904", in(l, "5回送信しましたが、受け付けられませんでした。", "Not accepted in 5 attempts.")}},
		FoundCharged: []string{"INV-905"}, Charged: []string{"INV-906"},
		NotCharged:    []Numbered{{"INV-907", "invalid_charge"}},
		StillUnknown:  []string{"INV-908"},
		UnknownToStay: []Numbered{{"INV-909", in(l, "5日間、確認できませんでした。", "Not found out in 5 days.")}},
	}
}

// nights are summaries of every sort.
func nights(l invoice.Language) map[string]Night {
	duplicates, waiting, broken, byHand, promising := quietNight(l), quietNight(l), quietNight(l), fineNight(l), fineNight(l)
	duplicates.Files = []File{repeated()}
	waiting.Waiting = []Waiting{{"A.csv", StillChanging}, {"D.csv", NoTotal}}
	broken.Files = []File{terribleNight(l).Files[2]}
	unreachable := quietNight(l)
	unreachable.Trouble = in(l, "受付フォルダーに接続できません。次回の処理で、もう一度試します。", "The inbox can't be reached. The next run tries again.")
	broken.Trouble = in(l, "決済サービスがキーを受け付けません。キーを設定し直すまで、何も発行できません。",
		"The payment service does not accept the key. Nothing can be issued before a right one is set.")
	byHand.Due, byHand.Live, byHand.Once = time.Time{}, false, true
	byHand.Files[0].Mail = Mails{Mailed: 119, Deferred: 1}
	byHand.Files[0].Results = []ResultSum{{Issued, Sum{119, 1_233_567}}, {Unknown, Sum{1, 1_000}}}
	promising.Retried = &Retries{Mailed: []string{"INV-901"}, FoundCharged: []string{"INV-905"}}
	return map[string]Night{
		"summary-fine": fineNight(l), "summary-terrible": terribleNight(l), "summary-no-files": quietNight(l), "summary-duplicates": duplicates,
		"summary-waiting": waiting, "summary-trouble": broken, "summary-by-hand": byHand, "summary-unreachable": unreachable, "summary-retried": promising,
	}
}

// mails are all mails there are.
func mails(t *testing.T, l invoice.Language) map[string]Message {
	t.Helper()
	all := map[string]Message{}
	add := func(name string, m Message, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = m
	}
	for name, n := range nights(l) {
		m, err := Summary(n)
		add(name, m, err)
	}
	missing := Missing{Sender: sakura(l), Due: inJapan(1, 2, 0), ExpectedBy: inJapan(1, 6, 0), LastEnded: inJapan(-1, 2, 3), Inbox: `\\server\keiri\inbox`}
	m, err := RunMissing(missing)
	add("missing", m, err)
	missing.Began, missing.LastEnded = inJapan(1, 2, 0), time.Time{}
	m, err = RunMissing(missing)
	add("missing-end", m, err)
	skip := Skip{Sender: sakura(l), Due: inJapan(1, 2, 0), Running: inJapan(1, 1, 0), Next: inJapan(2, 2, 0)}
	m, err = Skipped(skip)
	add("skipped-running", m, err)
	skip.Running = time.Time{}
	m, err = Skipped(skip)
	add("skipped-elsewhere", m, err)
	m, err = RetriesReport(RetriesDone{Sender: sakura(l), At: inJapan(1, 9, 5), Retries: someRetries(l)})
	add("retries", m, err)
	m, err = RetriesReport(RetriesDone{Sender: sakura(l), At: inJapan(1, 9, 5), Retries: &Retries{Mailed: []string{"INV-903"}}})
	add("retries-settled", m, err)
	return all
}

func TestMailsAsWritten(t *testing.T) {
	for _, l := range both {
		for name, m := range mails(t, l) {
			golden(t, string(l)+"-"+name+".txt", "Subject: "+m.Subject+"\n\n"+m.Text)
		}
	}
}

func TestNotesAsWritten(t *testing.T) {
	failed, err := FailedNote(Refusal{
		Name: "会費.csv", At: inJapan(1, 2, 1),
		Japanese: "3行目で始まる \" が閉じられていません。", English: "A quote that begins on line 3 is not closed.",
	})
	if err != nil {
		t.Fatal(err)
	}
	duplicate, err := DuplicateNote(Repetition{Name: "請求_11月分（コピー）.csv", At: inJapan(1, 2, 1), First: "請求_11月分.csv", Before: inJapan(-30, 2, 1)})
	if err != nil {
		t.Fatal(err)
	}
	for name, note := range map[string]string{"note-failed.txt": failed, "note-duplicate.txt": duplicate} {
		golden(t, name, note)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s has changed (go test -update, if that is meant):\n%s", name, got)
	}
}
