package main

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"konbill/invoice"
	"konbill/samples"
	"konbill/templates/slip"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestExampleConfig: the file that people start from names every key, and each
// with its default.
func TestExampleConfig(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	text, err := samples.Files.ReadFile(exampleConfig)
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, dir, "example.toml", string(text))
	values, err := readConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for key := range known() {
		if _, named := values[key]; !named {
			t.Errorf("%s is not in the example", key)
		}
	}
	fromFile, _, err := loadConfig(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defaults, _, err := loadConfig("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defaults.Columns, fromFile.Columns = nil, nil
	if !reflect.DeepEqual(fromFile, defaults) {
		t.Errorf("the example is\n%+v\nthe defaults are\n%+v", fromFile, defaults)
	}
}

func TestConfigSources(t *testing.T) {
	here, elsewhere, home := t.TempDir(), t.TempDir(), t.TempDir()
	t.Chdir(here)
	users := write(t, home, "konbill/konbill.toml", "[smtp]\nhost = \"users\"\n")
	env := []string{"XDG_CONFIG_HOME=" + home}
	expect := func(what string, flag string, env []string, host, path string) config {
		t.Helper()
		c, source, err := loadConfig(flag, nil, env)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if c.SMTP.Host != host || source.Path != path {
			t.Errorf("%s: host %q from %q, want %q from %q", what, c.SMTP.Host, source.Path, host, path)
		}
		return c
	}
	expect("the user's folder", "", env, "users", users)
	local := write(t, here, "konbill.toml", "[smtp]\nhost = \"local\"\n")
	expect("here", "", env, "local", local)
	named := write(t, elsewhere, "x.toml", "[smtp]\nhost = \"named\"\nfolder = \"mails\"\n")
	env = append(env, "KONBILL_CONFIG="+named)
	c := expect("KONBILL_CONFIG", "", env, "named", named)
	if want := "sqlite:" + filepath.Join(elsewhere, "konbill.db"); c.Ledger.URL != want {
		t.Errorf("the ledger is %s, want %s: it must not depend on where konbill is started", c.Ledger.URL, want)
	}
	if want := filepath.Join(elsewhere, "mails"); c.SMTP.Folder != want {
		t.Errorf("the folder is %s, want %s", c.SMTP.Folder, want)
	}
	flagged := write(t, elsewhere, "y.toml", "[smtp]\nhost = \"flagged\"\n")
	expect("--config", flagged, env, "flagged", flagged)
	c = expect("the environment over the file", flagged, append(env, "KONBILL_SMTP__HOST=env", "KONBILL_LEDGER__URL=sqlite:x.db"), "env", flagged)
	if want := "sqlite:" + filepath.Join(here, "x.db"); c.Ledger.URL != want {
		t.Errorf("the ledger is %s, want %s", c.Ledger.URL, want)
	}
	c, source, err := loadConfig(flagged, map[string]any{"lang": "en"}, append(env, "KONBILL_LANG=ja"))
	if err != nil || c.Lang != "en" || !source.LangGiven {
		t.Errorf("the flag over the environment: %q, %v", c.Lang, err)
	}
}

func TestConfigTypes(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	path := write(t, dir, "c.toml", `
[omise]
timeout = "90s"
settle_after = "2m"
requests_per_second = 5
workers = 3
[limits]
max_total = 1_000_000
[columns]
name = ["ご契約者", "加入者"]
phone = "連絡先"
`)
	c, _, err := loadConfig(path, nil, []string{"KONBILL_SMTP__PORT=465", "KONBILL_OMISE__REQUESTS_PER_SECOND=0.5"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Omise.Timeout != 90*time.Second || c.Omise.RequestsPerSecond != 0.5 || c.Omise.Workers != 3 ||
		c.Limits.MaxTotal != 1_000_000 || c.SMTP.Port != 465 {
		t.Errorf("%+v", c)
	}
	want := map[string][]string{"name": {"ご契約者", "加入者"}, "phone": {"連絡先"}}
	if !reflect.DeepEqual(c.Columns, want) {
		t.Errorf("columns: %v", c.Columns)
	}
}

// TestConfigMistakes: each names the setting and what it should be, in both
// languages.
// TestRegistrationNumber: the worked example of the tax agency, a number from its
// public register, and what one slip of the finger makes of them.
func TestRegistrationNumber(t *testing.T) {
	for _, right := range []string{"", "T7123456789012", "T7010705000725", "T4011001098993"} {
		if err := registrationNumber(right); err != nil {
			t.Errorf("%q: %v", right, err)
		}
	}
	for _, wrong := range []string{"T8123456789012", "T7123456789013", "T7123456789102", "7123456789012", "T712345678901", "T7123456789012 ", "t7123456789012", "T０123456789012"} {
		if err := registrationNumber(wrong); err == nil {
			t.Errorf("%q is taken for a registration number", wrong)
		}
	}
}

// TestLayoutRefusesALogo: what is wrong with it is told by its key, in both
// languages, before anything is charged.
func TestLayoutRefusesALogo(t *testing.T) {
	dir := t.TempDir()
	var wide bytes.Buffer
	if err := png.Encode(&wide, image.NewGray(image.Rect(0, 0, slip.LogoSide+1, 1))); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ why, file, says string }{
		{"a text", "<svg/>", "PNG"},
		{"too many bytes", strings.Repeat("x", slip.LogoBytes+1), "256"},
		{"too many pixels", wide.String(), "1600"},
	} {
		c := defaultConfig()
		c.Merchant.Logo = write(t, dir, "logo.png", test.file)
		_, err := c.layout()
		var mistake *configError
		if !errors.As(err, &mistake) {
			t.Errorf("%s: error %v", test.why, err)
			continue
		}
		for _, lang := range []invoice.Language{invoice.Japanese, invoice.English} {
			if text := mistake.Message(lang); !strings.Contains(text, "merchant.logo") || !strings.Contains(text, test.says) || !strings.Contains(text, "logo.png") {
				t.Errorf("%s in %s: %s", test.why, lang, text)
			}
		}
	}
}

func TestConfigMistakes(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, c := range []struct{ toml, key, says string }{
		{"[smtp]\nhots = \"x\"", "smtp.hots", "smtp.host"},
		{"[omise]\nworker = 3", "omise.worker", "omise.workers"},
		{"[inbax]\nfolder = \"x\"", "inbax.folder", ""},
		{"[columns]\nnummer = \"No\"", "columns.nummer", "invoice_no"},
		{"[columns]\nname = 3", "columns.name", "3"},
		{"lang = \"fr\"", "lang", "ja | en"},
		{"lang = 3", "lang", "3"},
		{"[omise]\napi_url = \"http://api.omise.co\"", "omise.api_url", "https"},
		{"[omise]\napi_url = \"api.omise.co\"", "omise.api_url", "https"},
		{"[omise]\nworkers = 0", "omise.workers", "1 – 32"},
		{"[omise]\nworkers = 1.5", "omise.workers", "1.5"},
		{"[omise]\nrequests_per_second = 0", "omise.requests_per_second", "0"},
		{"[omise]\ntimeout = \"60\"", "omise.timeout", "60s"},
		{"[omise]\ntimeout = \"1ms\"", "omise.timeout", "1s"},
		{"[omise]\ntimeout = \"85s\"", "omise.settle_after", "1m35s"},
		{"[omise]\nflow = \"both\"", "omise.flow", "source-first"},
		{"[smtp]\nport = 0", "smtp.port", "65535"},
		{"[smtp]\ntls = \"ssl\"", "smtp.tls", "implicit"},
		{"[smtp]\nfrom = \"sakura\"", "smtp.from", "sakura"},
		{"[smtp]\nreply_to = \"a@b, c@d\"", "smtp.reply_to", "a@b"},
		{"[invoice]\ndue_days = 61", "invoice.due_days", "60"},
		{"[invoice]\nname_overflow = \"trim\"", "invoice.name_overflow", "reject"},
		{"[limits]\nmax_total = -1", "limits.max_total", "-1"},
		{"[results]\nencoding = \"sjis\"", "results.encoding", "cp932"},
		{"[ledger]\nurl = \"konbill.db\"", "ledger.url", "sqlite:"},
		{"[merchant]\nregistration_number = \"T123\"", "merchant.registration_number", "T123"},
		{"[merchant]\nregistration_number = \"T1234567890123\"", "merchant.registration_number", "T1234567890123"},
		{"[slip]\nper_page = 4", "slip.per_page", "1 – 3"},
		{"[slip]\nper_page = 2\naddress_window = true", "slip.per_page", "address_window"},
	} {
		path := write(t, dir, "c.toml", c.toml)
		_, _, err := loadConfig(path, nil, nil)
		var mistake *configError
		if !errors.As(err, &mistake) {
			t.Errorf("%q: error %v", c.toml, err)
			continue
		}
		for _, lang := range []invoice.Language{invoice.Japanese, invoice.English} {
			text := mistake.Message(lang)
			if !strings.Contains(text, c.key) || !strings.Contains(text, c.says) || strings.Contains(text, "%!") {
				t.Errorf("%q in %s: %s", c.toml, lang, text)
			}
		}
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	c := defaultConfig()
	c.Omise.SecretKeyFile = write(t, dir, "key", "skey_test_file\n")
	c.SMTP.PasswordFile = write(t, dir, "password", "from file\r\n")
	if err := os.Chmod(c.SMTP.PasswordFile, 0o644); err != nil {
		t.Fatal(err)
	}
	s, exposed, err := loadSecrets(c, []string{"OMISE_SECRET_KEY=skey_test_env"})
	if err != nil || s.SecretKey != "skey_test_env" || s.SMTPPassword != "from file" || s.PublicKey != "" {
		t.Errorf("%+v, %v", s, err)
	}
	if len(exposed) != 1 || exposed[0] != c.SMTP.PasswordFile {
		t.Errorf("exposed: %v", exposed)
	}
	s, _, err = loadSecrets(c, nil)
	if err != nil || s.SecretKey != "skey_test_file" {
		t.Errorf("%+v, %v", s, err)
	}
	c.Omise.SecretKeyFile = filepath.Join(dir, "absent")
	if _, _, err := loadSecrets(c, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error: %v", err)
	}
}

// TestReplyTo: answers go where the configuration says, else to the address that
// customers are given, if mails can be answered to it.
func TestReplyTo(t *testing.T) {
	for _, c := range []struct{ merchant, replyTo, want string }{
		{"", "", ""},
		{"desk@sakura.example", "", "desk@sakura.example"},
		{"desk@sakura.example", "other@sakura.example", "other@sakura.example"},
		{"店@さくら.example", "", ""},
		{"平日のみ", "", ""},
	} {
		var settings config
		settings.Merchant.Email, settings.SMTP.ReplyTo = c.merchant, c.replyTo
		if got := settings.replyTo(); got != c.want {
			t.Errorf("merchant %q, reply_to %q: %q, want %q", c.merchant, c.replyTo, got, c.want)
		}
	}
}
