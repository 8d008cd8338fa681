package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"konbill/batch"
	"konbill/batch/fleet"
	"konbill/batch/ledger"
	"konbill/batch/omise"
	"konbill/invoice"
	"konbill/invoice/csvfile"
	"konbill/mailer"
)

// load reads the configuration and settles on a language.
func (a *app) load(overrides map[string]any) (config, error) {
	if overrides == nil {
		overrides = map[string]any{}
	}
	if a.langFlag != "" {
		if a.langFlag != string(invoice.Japanese) && a.langFlag != string(invoice.English) {
			return config{}, &usageError{errors.New(a.say("--lang には ja か en を指定してください", "--lang can be ja or en"))}
		}
		overrides["lang"] = a.langFlag
	}
	c, source, err := loadConfig(a.configPath, overrides, a.env)
	if err != nil {
		return c, err
	}
	a.configPath, a.origins = source.Path, source.Origins
	configured := ""
	if source.LangGiven {
		configured = c.Lang
	}
	a.lang = a.language(a.langFlag, configured)
	return c, nil
}

// reading is how the configuration wants files read and checked.
func (c config) reading(lang invoice.Language) batch.Reading {
	aliases := map[invoice.Field][]string{}
	for field, names := range c.Columns {
		aliases[invoice.Field(field)] = names
	}
	return batch.Reading{
		File: csvfile.Options{Aliases: aliases, MaxRows: c.Limits.MaxRows},
		Rules: invoice.Rules{
			DueDays: c.Invoice.DueDays, MaxDueDays: c.Invoice.MaxDueDays,
			NameOverflow: invoice.Overflow(c.Invoice.NameOverflow), Language: invoice.Language(c.Lang),
		},
		Language: lang,
	}
}

// settings are the merchant's choices. The error is about the merchant's own
// texts or logo.
func (a *app) settings(c config, who string) (batch.Settings, error) {
	texts, err := loadTexts(c)
	if err != nil {
		return batch.Settings{}, err
	}
	layout, err := c.layout()
	workers, charging := batch.WorkersFor(c.Omise.Workers)
	days, _ := remindDays(c.Follow.RemindBefore) // the configuration was checked
	return batch.Settings{
		Reading:         c.reading(a.lang),
		Merchant:        c.merchant(),
		Texts:           texts,
		Slip:            layout,
		MaxTotal:        invoice.Yen(c.Limits.MaxTotal),
		SourceFirst:     c.Omise.Flow == "source-first",
		Workers:         workers,
		Charging:        charging,
		SettleAfter:     c.Omise.SettleAfter,
		LoopbackAPI:     isLoopbackURL(c.Omise.APIURL),
		MailOff:         c.SMTP.Mode == "off",
		MailFrom:        c.SMTP.From,
		MailReplyTo:     c.replyTo(),
		RemindDays:      days,
		ReceiptMail:     c.Follow.ReceiptMail,
		ResendHeld:      c.SMTP.OnUnknown == "resend",
		ResultsEncoding: csvfile.Encoding(c.Results.Encoding),
		ConfigHash:      c.hash(),
		Who:             who,
	}, err
}

// replyTo is where answers to mails go: what is set, else the address that the
// merchant gives its customers, if it is one.
func (c config) replyTo() string {
	if c.SMTP.ReplyTo == "" && mailer.CheckAddress(c.Merchant.Email) == nil {
		return c.Merchant.Email
	}
	return c.SMTP.ReplyTo
}

// openBook reads the configuration and opens the ledger, for those that need
// nothing else. It is to be closed.
func (a *app) openBook(ctx context.Context) (config, *ledger.Ledger, error) {
	c, err := a.load(nil)
	if err != nil {
		return c, nil, err
	}
	book, err := ledger.Open(ctx, c.Ledger.URL)
	return c, book, err
}

// workshop is a runner with all it works with, to be closed afterwards.
type workshop struct {
	runner *batch.Runner
	client *omise.Client
	ledger *ledger.Ledger
	close  []func() error // in this order

	// Where other machines may use the ledger, too.
	fleet  *fleet.Fleet
	keeper *fleet.Keeper
}

func (w *workshop) Close() error {
	var errs []error
	for _, c := range w.close {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// open sets up a runner as the configuration says.
func (a *app) open(ctx context.Context, c config, who string) (*workshop, error) {
	if err := c.validateForRun(); err != nil {
		return nil, err
	}
	settings, err := a.settings(c, who)
	if err != nil {
		return nil, err
	}
	keys, err := a.secrets(c)
	if err != nil {
		return nil, err
	}
	if settings.MailSigner, err = a.signer(c); err != nil {
		return nil, err
	}
	w := &workshop{}
	var join func()
	if ledger.IsShared(c.Ledger.URL) {
		w.keeper = fleet.NewKeeper()
		join = w.keeper.Join
	}
	if w.client, err = a.client(c, keys, join); err != nil {
		return nil, err
	}
	if w.ledger, err = ledger.Open(ctx, c.Ledger.URL); err != nil {
		return nil, err
	}
	w.close = append(w.close, w.ledger.Close)
	postbox, closePostbox, err := c.mailer(keys)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.close = append(w.close, closePostbox)
	w.runner = &batch.Runner{
		Ledger: w.ledger, Gateway: w.client, Mailer: postbox, Settings: settings,
		Fingerprint: w.client.Fingerprint(), Live: w.client.Live(),
		Now: a.now, Wait: a.wait, Drain: a.drain, At: a.at,
	}
	if w.keeper != nil {
		a.joinFleet(w, c)
	}
	return w, nil
}

// secrets reads the keys and passes on what is worrying about where they lie.
// Keys that can't be right are a *refusal: nothing is asked with them.
func (a *app) secrets(c config) (secrets, error) {
	keys, exposed, err := loadSecrets(c, a.env)
	for _, file := range exposed {
		a.warnExposed(file)
	}
	if err != nil {
		return keys, err
	}
	return keys, a.lookAtKeys(keys)
}

func (a *app) warnExposed(file string) {
	fmt.Fprintf(a.stderr, a.say("注意：%s をほかの利用者も読み取れます。chmod 600 で自分だけにしてください\n",
		"warning: others on this machine can read %s; make it yours alone with chmod 600\n"), file)
}

func (a *app) lookAtKeys(keys secrets) error {
	where := a.say("環境変数 OMISE_SECRET_KEY か、設定の omise.secret_key_file で指定してください",
		"set OMISE_SECRET_KEY, or omise.secret_key_file in the configuration")
	switch {
	case keys.SecretKey == "":
		return &refusal{
			reason: a.say("Omise の秘密鍵がありません。", "There is no Omise secret key."),
			hint:   where + a.say("。まず試すだけなら konbill demo をどうぞ", "; to just try, run konbill demo"),
		}
	case !strings.HasPrefix(keys.SecretKey, "skey_"):
		return &refusal{
			reason: a.say("Omise の秘密鍵は skey_ で始まります。指定された値は秘密鍵ではありません。", "An Omise secret key begins with skey_; the one given does not."),
			hint:   where,
		}
	case keys.PublicKey != "" && !strings.HasPrefix(keys.PublicKey, "pkey_"):
		return &refusal{
			reason: a.say("Omise の公開鍵は pkey_ で始まります。指定された値は公開鍵ではありません。", "An Omise public key begins with pkey_; the one given does not."),
			hint:   a.say("OMISE_PUBLIC_KEY または omise.public_key_file を確かめてください", "check OMISE_PUBLIC_KEY or omise.public_key_file"),
		}
	case keys.PublicKey != "" && omise.LiveKey(keys.PublicKey) != omise.LiveKey(keys.SecretKey):
		return &refusal{
			reason: a.say("鍵の一方が本番用、もう一方がテスト用です。", "One of the keys is live, the other for tests."),
			hint:   a.say("同じ種類の鍵を 2 つ指定してください", "give two of a kind"),
		}
	}
	return nil
}

// client makes the client of the payment API. join has it share its pace with others.
func (a *app) client(c config, keys secrets, join func()) (*omise.Client, error) {
	return omise.New(omise.Config{
		URL: c.Omise.APIURL, SecretKey: keys.SecretKey, PublicKey: keys.PublicKey,
		AtOnce: c.Omise.Workers, RequestsPerSecond: c.Omise.RequestsPerSecond, Timeout: c.Omise.Timeout, UserAgent: "konbill/" + version(),
		Drain: a.drain, Wait: a.wait, Join: join,
	})
}

// mailer makes what smtp.mode asks for, and how to close it.
func (c config) mailer(keys secrets) (batch.Mailer, func() error, error) {
	nothing := func() error { return nil }
	switch c.SMTP.Mode {
	case "off":
		return nil, nothing, nil
	case "folder":
		if err := os.MkdirAll(c.SMTP.Folder, 0o700); err != nil {
			return nil, nothing, err
		}
		return mailer.NewFolder(c.SMTP.Folder, batch.WriteFile), nothing, nil
	}
	s, err := c.smtp(keys)
	if err != nil {
		return nil, nothing, err
	}
	return s, s.Close, nil
}

func (c config) smtp(keys secrets) (*mailer.SMTP, error) {
	return mailer.NewSMTP(mailer.SMTPConfig{
		Host: c.SMTP.Host, Port: c.SMTP.Port, TLS: c.SMTP.TLS,
		Username: c.SMTP.Username, Password: keys.SMTPPassword, Connections: c.SMTP.Connections,
	})
}

func isLoopbackURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && isLoopback(u.Hostname())
}
