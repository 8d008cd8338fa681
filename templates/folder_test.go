package templates

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"konbill/invoice"
)

// folderOf is a merchant's folder with some files in it.
func folderOf(t testing.TB, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func loaded(t testing.TB, files map[string]string) *Set {
	t.Helper()
	set, err := Load(folderOf(t, files), nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// ownText is one of Konbill's own texts with something in it replaced.
func ownText(t testing.TB, name, old, new string) string {
	t.Helper()
	text := own(name).text
	if !strings.Contains(text, old) {
		t.Fatalf("%s has no %q", name, old)
	}
	return strings.ReplaceAll(text, old, new)
}

// What konbill templates export writes changes nothing until it is edited, on
// whatever system that is done.
func TestOwnTextsOverrideThemselves(t *testing.T) {
	unchanged, windows := map[string]string{}, map[string]string{}
	for _, file := range Files() {
		unchanged[file.Name] = file.Text
		windows[file.Name] = "\uFEFF" + strings.ReplaceAll(file.Text, "\n", "\r\n")
	}
	for _, files := range []map[string]string{{}, unchanged, windows} {
		set := loaded(t, files)
		for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
			i, p := bill(language), payment(language)
			i.Reminder, i.Reissued = true, true
			mail, receipt := mailOf(t, i), receiptOf(t, p)
			i.Texts, p.Texts = set, set
			if got := mailOf(t, i); !reflect.DeepEqual(got, mail) {
				t.Errorf("%s, %d files: another mail:\n%s", language, len(files), got.Text)
			}
			if got := receiptOf(t, p); !reflect.DeepEqual(got, receipt) {
				t.Errorf("%s, %d files: another receipt:\n%s", language, len(files), got.Text)
			}
		}
	}
}

func TestOwnFilesOverride(t *testing.T) {
	set := loaded(t, map[string]string{
		"ja.toml":   "[shared]\nperson = \"{name} さま\"\nplaces = [\"ローソン\"]\n\n[mail]\nsubject = \"{title}：{number}\"\n",
		"mail.txt":  ownText(t, "mail.txt", "■ {{.PayHeading}}", "◆ {{.PayHeading}}"),
		"mail.html": ownText(t, "mail.html", "<h2", "<h3"),
		".DS_Store": "\xff", "mail.txt~": "{{",
	})
	i := bill(invoice.Japanese)
	i.Texts, i.Invoice.Name = set, "<b>山田</b> {number} {{.Link}}"
	m := mailOf(t, i)
	if m.Subject != "コンビニお支払いのご案内：INV-1" {
		t.Errorf("subject %s", m.Subject)
	}
	for _, want := range []string{"<b>山田</b> {number} {{.Link}} さま\n", "\nローソン\n", "◆ お支払い方法\n", "■ ご請求の内容\n"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("no %q in\n%s", want, m.Text)
		}
	}
	if !strings.Contains(m.HTML, "&lt;b&gt;山田&lt;/b&gt; {number} {{.Link}} さま") || !strings.Contains(m.HTML, "<h3") {
		t.Errorf("not escaped, or not overridden:\n%s", m.HTML)
	}
	if got := i.Wording().Places; len(got) != 1 {
		t.Errorf("the slip has %q", got)
	}
	// Konbill's own stay what they are, and so does the other language.
	i.Texts = nil
	english := bill(invoice.English)
	before := mailOf(t, english)
	english.Texts = set
	if len(i.Wording().Places) != 6 || !strings.Contains(mailOf(t, english).Text, "Lawson, MiniStop") || mailOf(t, english).Subject != before.Subject {
		t.Error("one merchant's words are in another's mail")
	}
}

// noKanji is a font's lack of one character.
func noKanji(text string) []rune {
	if strings.Contains(text, "見") {
		return []rune{'見'}
	}
	return nil
}

// Every broken text is found when it is loaded, and told by file and line.
func TestBrokenTextsAreFound(t *testing.T) {
	for name, broken := range map[string]struct {
		files map[string]string
		want  []string // path and what follows, in English
	}{
		"unknown file":        {map[string]string{"mail.htm": "x"}, []string{"mail.htm is not used by Konbill; the files are ja.toml,"}},
		"not UTF-8":           {map[string]string{"mail.txt": "a\n\x93\xfa\n"}, []string{"mail.txt, line 2 is not UTF-8"}},
		"too large":           {map[string]string{"mail.txt": strings.Repeat("x", maxSize+1)}, []string{"mail.txt is too large; a text may have 256 KiB"}},
		"no TOML":             {map[string]string{"ja.toml": "[mail]\nlead = お支払い\n"}, []string{"ja.toml, line 2 can't be read as TOML:"}},
		"unknown word":        {map[string]string{"ja.toml": "[mail]\nlead = \"x\"\nsubjet = \"x\"\n[slip]\na = 1\n"}, []string{"ja.toml, line 3: there is no mail.subjet;", "ja.toml, line 5: there is no slip.a;"}},
		"word beyond a table": {map[string]string{"en.toml": "title = \"x\"\n"}, []string{"en.toml: there is no title;"}},
		"several":             {map[string]string{"ja.toml": "[mail]\nlead = 1\n", "mail.html": "{{.Typo}}"}, []string{"ja.toml, line 2: mail.lead", "mail.html, line 1: executing"}},
		"number for text":     {map[string]string{"ja.toml": "[mail]\n\nlead = 3\n"}, []string{"ja.toml, line 3: mail.lead must be a text in quotes"}},
		"text for list":       {map[string]string{"ja.toml": "[shared]\nplaces = \"x\"\n"}, []string{"ja.toml, line 2: shared.places must be a list of texts"}},
		"empty list":          {map[string]string{"ja.toml": "[shared]\nhow_to_pay = []\n"}, []string{"ja.toml, line 2: shared.how_to_pay must be a list of texts"}},
		"wrong placeholder":   {map[string]string{"ja.toml": "[mail]\nsubject = \"{merchat}\"\n"}, []string{"ja.toml, line 2: mail.subject can't hold {merchat};"}},
		"lost placeholder":    {map[string]string{"en.toml": "[shared]\nuntil = \"{hour}\"\n"}, []string{"en.toml, line 2: shared.until must hold {day}"}},
		"not printable":       {map[string]string{"en.toml": "[mail]\nlead = \"見\"\n[shared]\nsample = \"見本\"\n"}, []string{"en.toml, line 4: shared.sample has 見, which"}},
		"bad file name":       {map[string]string{"ja.toml": "[mail]\nfile = \"a/{number}.pdf\"\n"}, []string{"ja.toml, line 2: mail.file must be a file name"}},
		"broken template":     {map[string]string{"mail.txt": "a\n{{.Link\n"}, []string{"mail.txt, line 3: unclosed action started at mail.txt:2"}},
		"unknown function":    {map[string]string{"receipt.txt": "{{shout .Merchant}}"}, []string{`receipt.txt, line 1: function "shout" not defined`}},
		"unknown variable":    {map[string]string{"mail.html": ownText(t, "mail.html", "{{.Lead}}", "{{.Leed}}")}, []string{"mail.html, line "}},
		"only in a branch":    {map[string]string{"mail.txt": own("mail.txt").text + "{{with .NoCode}}{{$.Typo}}{{end}}"}, []string{"mail.txt, line "}},
		"broken HTML":         {map[string]string{"receipt.html": ownText(t, "receipt.html", "<h2 style=\"", "<h2 style=\"{{if .Paid}}\"{{end}}")}, []string{"receipt.html, line "}},
		"unknown part":        {map[string]string{"frame.html": "{{define \"head\"}}{{end}}"}, []string{"mail.html, line "}},
		"link left out":       {map[string]string{"mail.txt": ownText(t, "mail.txt", "{{.Link}}", "")}, []string{"mail.txt makes mails that lack {{.Link}}; put it back in"}},
		"figure left out":     {map[string]string{"mail.html": ownText(t, "mail.html", "range .Numbers", "range .Ways")}, []string{"mail.html makes mails that lack {{.Numbers}}"}},
		"amount left out":     {map[string]string{"receipt.txt": "{{.Addressee}}{{.Merchant}}{{.NoReceipt}}{{range .Paid}}{{if not .Strong}}{{.Value}}{{end}}{{end}}"}, []string{"receipt.txt makes mails that lack {{.Paid}}"}},
		"old template":        {map[string]string{"mail.txt": ownText(t, "mail.txt", "{{range .Before}}{{.}}\n\n{{end}}", "")}, []string{"mail.txt makes mails that lack {{.Before}}"}},
	} {
		folder := folderOf(t, broken.files)
		set, err := Load(folder, noKanji)
		wrong := new(FolderError)
		if !errors.As(err, &wrong) || set != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range broken.want {
			found := ""
			for _, fault := range wrong.Faults {
				found += strings.ReplaceAll(fault.Message(invoice.English), folder+string(filepath.Separator), "") + "\n"
			}
			if !strings.HasPrefix(found, want) && !strings.Contains(found, "\n"+want) {
				t.Errorf("%s: want %s, got\n%s", name, want, found)
			}
		}
		for _, fault := range wrong.Faults {
			t.Log(fault.Message(invoice.Japanese))
		}
	}
}

func TestNoFolder(t *testing.T) {
	file := filepath.Join(folderOf(t, map[string]string{"ja.toml": ""}), "ja.toml")
	for _, folder := range []string{filepath.Join(t.TempDir(), "gone"), file} {
		_, err := Load(folder, nil)
		if wrong := new(FolderError); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "is no folder") {
			t.Errorf("%s: %v", folder, err)
		}
	}
	if set, err := Load("", nil); err != nil || set != ownSet() {
		t.Errorf("without a folder: %v", err)
	}
}

// The comments tell every variable that a template has, and no other.
func TestCommentsTellEveryVariable(t *testing.T) {
	for name, facts := range map[string]any{"mail.txt": letter{}, "receipt.txt": receiptLetter{}} {
		_, listed, _ := strings.Cut(own(name).text, "variables:\n")
		listed, _, _ = strings.Cut(listed, "\n\n")
		listed = "\n" + listed
		fields := reflect.TypeOf(facts)
		for i := range fields.NumField() {
			if !strings.Contains(listed, "\n  ."+fields.Field(i).Name+" ") {
				t.Errorf("%s doesn't tell .%s", name, fields.Field(i).Name)
			}
		}
		if told := strings.Count(listed, "\n  ."); told != fields.NumField() {
			t.Errorf("%s tells %d variables, has %d", name, told, fields.NumField())
		}
	}
}

// Konbill's own files hold every word, and an entry's placeholders are those
// that it has there.
func TestOwnWordsAreComplete(t *testing.T) {
	for _, name := range []string{"ja.toml", "en.toml"} {
		var w words
		if faults := append(w.read(own(name), nil), w.checkFileName(own(name))...); len(faults) > 0 {
			t.Errorf("%v", faults)
		}
		for entry := range w.all() {
			text := strings.Join(entry.texts(), "")
			if entry.key == "" || text == "" || own(name).lineOf(entry.name()) == 0 {
				t.Errorf("%s: %s is %q", name, entry.name(), text)
			}
			for _, held := range entry.holds {
				if !strings.Contains(text, "{"+held+"}") {
					t.Errorf("%s: %s may hold {%s} and doesn't show it", name, entry.name(), held)
				}
			}
		}
	}
}

// TestDigest: other words have another digest, and the same ones the same.
func TestDigest(t *testing.T) {
	one := map[string]string{"ja.toml": "[mail]\nlead = \"一つ目です\"\n"}
	other := map[string]string{"ja.toml": "[mail]\nlead = \"二つ目です\"\n"}
	first := loaded(t, one).Digest()
	if first == "" || loaded(t, one).Digest() != first || loaded(t, other).Digest() == first {
		t.Errorf("%q, again %q, of others %q", first, loaded(t, one).Digest(), loaded(t, other).Digest())
	}
	if own := (*Set)(nil).Digest(); own != "" || ownSet().Digest() != "" {
		t.Errorf("Konbill's own have the digest %q", own)
	}
}
