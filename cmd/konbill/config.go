package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"

	"konbill/batch/ledger"
	"konbill/samples"
)

// config is everything that can be set, apart from secrets. samples/konbill.toml
// explains each key; the README gives the order in which sources count.
type config struct {
	Lang     string              `koanf:"lang"`
	Merchant merchantConfig      `koanf:"merchant"`
	Slip     slipConfig          `koanf:"slip"`
	Omise    omiseConfig         `koanf:"omise"`
	SMTP     smtpConfig          `koanf:"smtp"`
	Invoice  invoiceConfig       `koanf:"invoice"`
	Limits   limitsConfig        `koanf:"limits"`
	Results  resultsConfig       `koanf:"results"`
	Ledger   ledgerConfig        `koanf:"ledger"`
	Inbox    inboxConfig         `koanf:"inbox"`
	Schedule scheduleConfig      `koanf:"schedule"`
	Notify   notifyConfig        `koanf:"notify"`
	Follow   followConfig        `koanf:"follow"`
	Serve    serveConfig         `koanf:"serve"`
	Web      webConfig           `koanf:"web"`
	Columns  map[string][]string `koanf:"columns"` // field to headers, beside the usual ones

	Templates templatesConfig `koanf:"templates"`
}

type merchantConfig struct {
	Name               string `koanf:"name"`
	Address            string `koanf:"address"`
	Phone              string `koanf:"phone"`
	Hours              string `koanf:"hours"`
	Email              string `koanf:"email"`
	RegistrationNumber string `koanf:"registration_number"`
	Logo               string `koanf:"logo"`
}

type slipConfig struct {
	AddressWindow bool `koanf:"address_window"`
	PerPage       int  `koanf:"per_page"`
}

type omiseConfig struct {
	APIURL            string        `koanf:"api_url"`
	SecretKeyFile     string        `koanf:"secret_key_file"`
	PublicKeyFile     string        `koanf:"public_key_file"`
	Flow              string        `koanf:"flow"`
	Workers           int           `koanf:"workers"`
	RequestsPerSecond float64       `koanf:"requests_per_second"`
	Timeout           time.Duration `koanf:"timeout"`
	SettleAfter       time.Duration `koanf:"settle_after"`
}

type smtpConfig struct {
	Mode         string `koanf:"mode"`
	Host         string `koanf:"host"`
	Port         int    `koanf:"port"`
	TLS          string `koanf:"tls"`
	Username     string `koanf:"username"`
	PasswordFile string `koanf:"password_file"`
	From         string `koanf:"from"`
	ReplyTo      string `koanf:"reply_to"`
	Connections  int    `koanf:"connections"`
	Folder       string `koanf:"folder"`
	OnUnknown    string `koanf:"on_unknown"`

	SMIMECertFile string `koanf:"smime_cert_file"`
	SMIMEKeyFile  string `koanf:"smime_key_file"`
	DKIMDomain    string `koanf:"dkim_domain"`
	DKIMSelector  string `koanf:"dkim_selector"`
	DKIMKeyFile   string `koanf:"dkim_key_file"`
}

type invoiceConfig struct {
	DueDays      int    `koanf:"due_days"`
	MaxDueDays   int    `koanf:"max_due_days"`
	NameOverflow string `koanf:"name_overflow"`
}

type limitsConfig struct {
	MaxRows  int   `koanf:"max_rows"`
	MaxTotal int64 `koanf:"max_total"`
}

type resultsConfig struct {
	Encoding string `koanf:"encoding"`
}

type ledgerConfig struct {
	URL string `koanf:"url"`
}

type inboxConfig struct {
	Folder       string        `koanf:"folder"`
	StableFor    time.Duration `koanf:"stable_for"`
	RequireTotal bool          `koanf:"require_total"`
	Approval     bool          `koanf:"approval"` // files wait on the page until somebody approves them
}

type scheduleConfig struct {
	Cron     string `koanf:"cron"`
	Timezone string `koanf:"timezone"`
	Holidays string `koanf:"holidays"`
	Live     bool   `koanf:"live"`
}

type notifyConfig struct {
	To         string `koanf:"to"` // addresses, separated by commas
	Lang       string `koanf:"lang"`
	ExpectedBy string `koanf:"expected_by"` // a time of day in schedule.timezone, such as 06:00
}

type followConfig struct {
	Sync         time.Duration `koanf:"sync"`          // between looks at the payments; 0: none by itself
	RemindBefore string        `koanf:"remind_before"` // such as "7d, 3d, 1d"; empty: nobody is reminded
	ReceiptMail  bool          `koanf:"receipt_mail"`  // customers are told that their payment has come

	WebhookListen     string `koanf:"webhook_listen"`
	WebhookPath       string `koanf:"webhook_path"`
	WebhookSecretFile string `koanf:"webhook_secret_file"`
}

type templatesConfig struct {
	Folder string `koanf:"folder"` // empty: Konbill's own texts
}

type serveConfig struct {
	Listen        string        `koanf:"listen"`
	Log           string        `koanf:"log"`
	TakeOverAfter time.Duration `koanf:"take_over_after"`
}

type webConfig struct {
	Listen      string `koanf:"listen"` // empty: no page
	Hosts       string `koanf:"hosts"`  // under which browsers ask for it, separated by commas; empty: as it listens
	TLSCertFile string `koanf:"tls_cert_file"`
	TLSKeyFile  string `koanf:"tls_key_file"`
	Approval    string `koanf:"approval"` // any, or second-person: not by who brings a file
}

// Who may approve a file: any approver, or only one who hasn't brought it.
const (
	approvalByAny    = "any"
	approvalBySecond = "second-person"
)

func defaultConfig() config {
	return config{
		Lang:    "ja",
		Slip:    slipConfig{PerPage: 1},
		Omise:   omiseConfig{APIURL: "https://api.omise.co", Flow: "single", Workers: 8, RequestsPerSecond: 20, Timeout: time.Minute, SettleAfter: 90 * time.Second},
		SMTP:    smtpConfig{Mode: "smtp", Port: 587, TLS: "starttls", Connections: 4, Folder: "outbox", OnUnknown: "hold"},
		Invoice: invoiceConfig{DueDays: 30, MaxDueDays: 60, NameOverflow: "cut"},
		Limits:  limitsConfig{MaxRows: 10_000},
		Results: resultsConfig{Encoding: "utf-8"},
		Ledger:  ledgerConfig{URL: "sqlite:konbill.db"},

		Inbox:    inboxConfig{Folder: "inbox", StableFor: 10 * time.Second},
		Schedule: scheduleConfig{Cron: "0 2 * * *", Timezone: "Asia/Tokyo", Holidays: "run"},
		Follow:   followConfig{Sync: time.Hour, WebhookPath: "/webhooks/omise"},
		Web:      webConfig{Approval: approvalByAny},
		Serve:    serveConfig{Listen: "127.0.0.1:9464", Log: "text", TakeOverAfter: 30 * time.Second},
	}
}

// configSource says where a configuration came from.
type configSource struct {
	Path      string            // of the file; empty when there is none
	LangGiven bool              // some source names a language
	Origins   map[string]string // by key: the file, "environment" or a flag; no entry: the default
}

// loadConfig reads the configuration: flags over environment over file over
// defaults. A relative path in the file, or among the defaults, is relative to
// the file's folder, so that konbill finds the same ledger wherever it is
// started from; any other to the working directory. The error is a *configError
// or the operating system's.
func loadConfig(path string, flags map[string]any, env []string) (config, configSource, error) {
	var source configSource
	var err error
	if source.Path, err = configFile(path, env); err != nil {
		return config{}, source, err
	}
	here := workingDirectory()
	home := here
	if source.Path != "" {
		home = filepath.Dir(source.Path)
	}
	source.Origins = map[string]string{}
	layers := []configLayer{{from: "", base: home, values: flatten(defaultConfig())}}
	if source.Path != "" {
		values, err := readConfigFile(source.Path)
		if err != nil {
			return config{}, source, err
		}
		layers = append(layers, configLayer{from: source.Path, base: home, values: values})
	}
	layers = append(layers, environment(env, here), configLayer{from: "--lang", base: here, values: flags})
	k := koanf.New(".")
	for i, layer := range layers {
		values, err := layer.settled()
		if err != nil {
			return config{}, source, err
		}
		if err := k.Load(confmap.Provider(values, "."), nil); err != nil {
			return config{}, source, err
		}
		_, given := values["lang"]
		source.LangGiven = source.LangGiven || given && i > 0
		if i > 0 {
			source.note(values, layer.from)
		}
	}
	var c config
	if err := k.Unmarshal("", &c); err != nil {
		return config{}, source, err
	}
	return c, source, c.validate()
}

// note notes that settings came from a layer.
func (s *configSource) note(values map[string]any, from string) {
	for key := range values {
		s.Origins[key] = from
	}
}

// configFile finds the file: the flag, KONBILL_CONFIG, ./konbill.toml, then the
// user's folder for configuration. Only one that was named must exist.
func configFile(flag string, env []string) (string, error) {
	for _, named := range []string{flag, lookUp(env, "KONBILL_CONFIG")} {
		if named != "" {
			return filepath.Abs(named)
		}
	}
	candidates := []string{filepath.Join(workingDirectory(), "konbill.toml")}
	if folder := userConfigFolder(env); folder != "" {
		candidates = append(candidates, filepath.Join(folder, "konbill", "konbill.toml"))
	}
	for _, candidate := range candidates {
		if _, err := os.Stat(candidate); err == nil {
			return candidate, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", nil
}

// userConfigFolder is the operating system's, from the given environment where
// that decides it.
func userConfigFolder(env []string) string {
	if folder := lookUp(env, "XDG_CONFIG_HOME"); folder != "" {
		return folder
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return "" // no home: then there is none of the user's own
	}
	return folder
}

func readConfigFile(path string) (map[string]any, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	tables, err := toml.Parser().Unmarshal(data)
	if err != nil {
		return nil, &configError{From: path, Code: configUnreadable, Detail: err.Error()}
	}
	k := koanf.New(".")
	if err := k.Load(confmap.Provider(tables, ""), nil); err != nil {
		return nil, err
	}
	values := k.All()
	maps.DeleteFunc(values, func(_ string, value any) bool {
		table, isTable := value.(map[string]any)
		return isTable && len(table) == 0 // [columns] with nothing below it
	})
	return values, nil
}

// flatten turns a configuration into keys such as smtp.host.
func flatten(c config) map[string]any {
	k := koanf.New(".")
	if err := k.Load(structs.Provider(c, "koanf"), nil); err != nil {
		panic(fmt.Sprintf("konbill: our own configuration: %v", err))
	}
	values := k.All()
	delete(values, "columns")
	return values
}

// print writes the configuration in force. It holds no secret, only where the
// secrets are.
func (c config) print(w io.Writer, asJSON bool) error {
	c.Ledger.URL = ledger.Redacted(c.Ledger.URL)
	k := koanf.New(".")
	if err := k.Load(structs.Provider(c, "koanf"), nil); err != nil {
		return err
	}
	values := k.Raw()
	omise, inbox := values["omise"].(map[string]any), values["inbox"].(map[string]any)
	omise["timeout"], omise["settle_after"] = c.Omise.Timeout.String(), c.Omise.SettleAfter.String()
	inbox["stable_for"] = c.Inbox.StableFor.String()
	values["follow"].(map[string]any)["sync"] = c.Follow.Sync.String()
	values["serve"].(map[string]any)["take_over_after"] = c.Serve.TakeOverAfter.String()
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(values)
	}
	text, err := toml.Parser().Marshal(values)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// hash identifies the configuration in a receipt.
func (c config) hash() string {
	c.Ledger.URL = ledger.Redacted(c.Ledger.URL)
	text, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("konbill: our own configuration: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// exampleConfig is the file that config init writes.
const exampleConfig = "konbill.toml"

// writeExampleConfig stores a commented configuration with the defaults. An
// existing file is left alone, and is the error.
func writeExampleConfig(path string) error {
	text, err := samples.Files.ReadFile(exampleConfig)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// lookUp finds a variable in an environment; the last one counts, as in a
// process's own.
func lookUp(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if value, found := strings.CutPrefix(env[i], name+"="); found {
			return value
		}
	}
	return ""
}
