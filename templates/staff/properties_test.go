package staff

import (
	"fmt"
	"io/fs"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"

	"konbill/invoice"
)

// The hostile strings come from where a file's name, a cell or a reply of a
// server may.
var hostile = []string{
	"x\r\nBcc: evil@example.com\r\n\r\nhello", "x\n\n■ 対応をお願いします\n・振込先は…", "x\n# What to do\n* Pay here",
	"\u202Efdp.exe", "a\u2028b\u2029c", "\x00\x1b[2J\u0085", "\xff\xfe", "{{.Name}}", "a\u200Bb\uFEFF", "x\v\fy",
}

// withEvery returns data in which every string of any field is text, except the
// language and what has a type of its own.
func withEvery[T any](data T, text string) T {
	to := reflect.ValueOf(&data).Elem()
	replace(to, text)
	return data
}

func replace(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(text)
		}
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				replace(v.Field(i), text)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			replace(v.Index(i), text)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			replace(v.Elem(), text)
		}
	}
}

// Whatever a value holds, it makes no line and no header, and no invisible
// character comes through.
func TestValuesAreInert(t *testing.T) {
	for _, l := range both {
		for _, text := range append(hostile, "harmless") {
			trouble := terribleNight(l)
			trouble.Trouble = "x"
			for name, write := range map[string]func(text string) (Message, error){
				"summary": func(text string) (Message, error) { return Summary(withEvery(trouble, text)) },
				"missing": func(text string) (Message, error) {
					return RunMissing(withEvery(Missing{Sender: sakura(l), Inbox: "x"}, text))
				},
				"skipped": func(text string) (Message, error) { return Skipped(withEvery(Skip{Sender: sakura(l)}, text)) },
				"retries": func(text string) (Message, error) {
					return RetriesReport(withEvery(RetriesDone{Sender: sakura(l), Retries: someRetries(l)}, text))
				},
				"failed": func(text string) (Message, error) {
					note, err := FailedNote(withEvery(Refusal{}, text))
					return Message{Text: note}, err
				},
				"duplicate": func(text string) (Message, error) {
					note, err := DuplicateNote(withEvery(Repetition{}, text))
					return Message{Text: note}, err
				},
			} {
				t.Run(fmt.Sprintf("%s/%s/%q", l, name, text), func(t *testing.T) {
					got, err := write(text)
					if err != nil {
						t.Fatal(err)
					}
					want, err := write("harmless")
					if err != nil {
						t.Fatal(err)
					}
					if strings.Count(got.Text, "\n") != strings.Count(want.Text, "\n") {
						t.Errorf("it changes the number of lines:\n%s", got.Text)
					}
					if found := strings.IndexFunc(got.Subject+strings.ReplaceAll(got.Text, "\n", ""), mayNotShow); found >= 0 {
						t.Errorf("a character that can't be seen or breaks lines: %q\n%s", got.Subject, got.Text)
					}
					if headings(got.Text) != headings(want.Text) {
						t.Errorf("it passes for a heading:\n%s", got.Text)
					}
				})
			}
		}
	}
}

func mayNotShow(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

var heading = regexp.MustCompile(`(?m)^(■|#|・|\*|→|->)`)

func headings(text string) int { return len(heading.FindAllString(text, -1)) }

// A subject is read over shoulders and on locked telephones.
func TestSubjectsAreImpersonal(t *testing.T) {
	const private = "山田様"
	for _, l := range both {
		night := withEvery(terribleNight(l), private)
		night.Merchant = "さくら商店"
		retries := withEvery(RetriesDone{Sender: sakura(l), Retries: someRetries(l)}, private)
		retries.Merchant = "さくら商店"
		for _, write := range []func() (Message, error){
			func() (Message, error) { return Summary(night) },
			func() (Message, error) { return RetriesReport(retries) },
		} {
			m, err := write()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(m.Subject, private) || !strings.Contains(m.Subject, "さくら商店") || !strings.Contains(m.Text, private) {
				t.Errorf("subject %s", m.Subject)
			}
		}
	}
}

// Subject and text say whether it was real money.
func TestTestRunsSaySo(t *testing.T) {
	for language, words := range map[invoice.Language]struct{ live, test string }{
		invoice.Japanese: {"本番", "テスト"}, invoice.English: {"live", "test"},
	} {
		for _, live := range []bool{true, false} {
			n := fineNight(language)
			n.Live = live
			m, err := Summary(n)
			if err != nil {
				t.Fatal(err)
			}
			said, unsaid := words.live, words.test
			if !live {
				said, unsaid = unsaid, said
			}
			for _, part := range []string{m.Subject, m.Text} {
				part = strings.ToLower(part)
				if !strings.Contains(part, said) || strings.Contains(part, unsaid) {
					t.Errorf("live %v: %s", live, part)
				}
			}
		}
	}
}

func TestUrgency(t *testing.T) {
	const l = invoice.Japanese
	with := func(change func(n *Night, f *File)) Night {
		n := fineNight(l)
		change(&n, &n.Files[0])
		return n
	}
	result := func(r Result) Night {
		return with(func(_ *Night, f *File) { f.Results = append(f.Results, ResultSum{r, Sum{1, 300}}) })
	}
	mails := func(m Mails) Night { return with(func(_ *Night, f *File) { f.Mail = m }) }
	outcome := func(o Outcome) Night { return with(func(_ *Night, f *File) { f.Outcome = o }) }
	waits := func(w Why) Night { return with(func(n *Night, _ *File) { n.Waiting = []Waiting{{"a.csv", w}} }) }
	retried := func(r Retries) Night { return with(func(n *Night, _ *File) { n.Retried = &r }) }
	for name, c := range map[string]struct {
		night Night
		want  Urgency
	}{
		"fine":                        {fineNight(l), NothingToDo},
		"no files":                    {quietNight(l), NothingToDo},
		"already issued":              {result(AlreadyIssued), NothingToDo},
		"mail is off":                 {mails(Mails{Off: 3}), NothingToDo},
		"settled":                     {retried(Retries{Mailed: []string{"1"}, FoundCharged: []string{"2"}, Charged: []string{"3"}}), NothingToDo},
		"unknown":                     {result(Unknown), ToBeRead},
		"deferred":                    {mails(Mails{Deferred: 1}), ToBeRead},
		"duplicate":                   {outcome(Duplicate), ToBeRead},
		"unfinished":                  {outcome(Unfinished), ToBeRead},
		"still changing":              {waits(StillChanging), ToBeRead},
		"holidays end":                {with(func(n *Night, _ *File) { n.HolidayListEnds = 2027 }), ToBeRead},
		"still deferred":              {retried(Retries{StillDeferred: []string{"1"}}), ToBeRead},
		"still unknown":               {retried(Retries{StillUnknown: []string{"1"}}), ToBeRead},
		"rejected":                    {result(Rejected), ToBeDone},
		"not issued":                  {result(NotIssued), ToBeDone},
		"refused":                     {mails(Mails{Refused: 1}), ToBeDone},
		"held":                        {mails(Mails{Held: 1}), ToBeDone},
		"failed":                      {outcome(Failed), ToBeDone},
		"open in Excel":               {waits(OpenInExcel), ToBeDone},
		"can't be opened":             {waits(CannotOpen), ToBeDone},
		"no total":                    {waits(NoTotal), ToBeDone},
		"two totals":                  {waits(TwoTotals), ToBeDone},
		"shared total":                {waits(SharedTotal), ToBeDone},
		"no approval":                 {waits(NoApproval), ToBeDone},
		"trouble":                     {with(func(n *Night, _ *File) { n.Trouble = "x" }), ToBeDone},
		"mail given up":               {retried(Retries{MailGivenUp: []Numbered{{"1", ""}}}), ToBeDone},
		"not charged":                 {retried(Retries{NotCharged: []Numbered{{"1", ""}}}), ToBeDone},
		"unknown to stay":             {retried(Retries{UnknownToStay: []Numbered{{"1", ""}}}), ToBeDone},
		"to be read and to be done":   {with(func(n *Night, _ *File) { n.HolidayListEnds, n.Retried = 2027, &Retries{NotCharged: []Numbered{{}}} }), ToBeDone},
		"rest of an unfinished file":  {with(func(_ *Night, f *File) { f.Outcome, f.Results = Unfinished, []ResultSum{{NotIssued, Sum{1, 300}}} }), ToBeRead},
		"mails of an unfinished file": {with(func(_ *Night, f *File) { f.Outcome, f.Mail = Unfinished, Mails{Refused: 1} }), ToBeRead},
	} {
		if got := c.night.Urgency(); got != c.want {
			t.Errorf("%s: %d, not %d", name, got, c.want)
		}
		// Whatever is to be done is said before the facts, in both languages.
		for _, l := range both {
			c.night.Language = l
			m, err := Summary(c.night)
			if err != nil {
				t.Fatal(err)
			}
			if says := strings.Contains(m.Text, in(l, "■ 対応をお願いします\n\n・", "# What to do\n\n* ")); says != (c.want == ToBeDone) {
				t.Errorf("%s: says what to do: %v\n%s", name, says, m.Text)
			}
			if strings.Contains(m.Text, in(l, "\n\n・", "\n\n* ")) != (c.want != NothingToDo) {
				t.Errorf("%s: it says something is open, or not:\n%s", name, m.Text)
			}
		}
	}
}

// Long lists end with how much is left out.
func TestListsAreBounded(t *testing.T) {
	many := make([]Numbered, mostShown+7)
	numbers := make([]string, len(many))
	rejected := make([]Reject, len(many))
	for i := range many {
		numbers[i] = fmt.Sprintf("N-%03d", i)
		many[i], rejected[i] = Numbered{numbers[i], ""}, Reject{i + 2, numbers[i], "x"}
	}
	for _, l := range both {
		n := fineNight(l)
		n.Files[0].Rejected, n.Files[0].Unknown = rejected, many
		n.Retried = &Retries{Mailed: numbers}
		m, err := Summary(n)
		if err != nil {
			t.Fatal(err)
		}
		for number, want := range map[string]int{"N-049": 3, "N-050": 0} {
			if got := strings.Count(m.Text, number); got != want {
				t.Errorf("%s stands %d times, not %d:\n%s", number, got, want, m.Text)
			}
		}
		if got := strings.Count(m.Text, in(l, "ほか 7件", "7 more")); got != 3 {
			t.Errorf("what is left out is told %d times:\n%s", got, m.Text)
		}
	}
	n := fineNight(invoice.Japanese)
	n.Files[0].Rejected = []Reject{{2, "N-1", strings.Repeat("長", longestLine*2)}}
	m, err := Summary(n)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(m.Text, "長"); got != longestLine {
		t.Errorf("%d characters of one message", got)
	}
}

// A line of ours fits any window: 38 wide characters.
func TestProseIsNarrow(t *testing.T) {
	wide := runewidth.Condition{EastAsianWidth: true}
	err := fs.WalkDir(files, "texts", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		for _, line := range strings.Split(string(text), "\n") {
			if !strings.Contains(line, "{{") && wide.StringWidth(line) > 76 {
				t.Errorf("%s: %d columns: %s", path, wide.StringWidth(line), line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Writing leaves the caller's data as they were.
func TestDataAreLeftAlone(t *testing.T) {
	n := withEvery(terribleNight(invoice.Japanese), "a\nb")
	if _, err := Summary(n); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(n, withEvery(terribleNight(invoice.Japanese), "a\nb")) {
		t.Error("the data have changed")
	}
}
