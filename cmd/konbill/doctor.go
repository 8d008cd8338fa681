package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/batch/omise"
	"konbill/batch/schedule"
	"konbill/invoice"
	"konbill/mailer"
	"konbill/templates"
	"konbill/templates/slip"
)

func (a *app) doctorCommand() *cobra.Command {
	return a.withJSON(&cobra.Command{
		Use:   "doctor",
		Short: a.say("設定・鍵・通信・台帳を点検", "Check configuration, keys, network and ledger"),
		Long: a.say("実行の前に、設定、鍵、決済サービスへの接続、時計、メールサーバーへのログイン、署名の鍵と送信ドメイン（SPF・DKIM・DMARC）、文字（フォント）、台帳、ディスクを点検します。請求もメール送信もしません。",
			"Checks configuration, keys, reach of the payment service, clock, mail server login, signing keys and sender's domain (SPF, DKIM, DMARC), fonts, ledger and disk before a run. It charges and mails nothing."),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	})
}

// examination is one thing doctor looked at.
type examination struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Note   bool   `json:"note,omitempty"` // nothing that stops a run, but worth knowing
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// clockTolerance is how far the machine's clock may be off: due dates are
// days, but reconciling reads lists by time.
const clockTolerance = time.Minute

func (a *app) doctor(ctx context.Context) error {
	found, err := a.examine(ctx)
	if err != nil {
		return err
	}
	healthy := true
	for _, e := range found {
		healthy = healthy && e.OK
	}
	if a.json {
		if err := a.printJSON(map[string]any{"ok": healthy, "checks": found}); err != nil {
			return err
		}
	} else {
		a.printExaminations(found)
	}
	if !healthy {
		return reported(fmt.Errorf("doctor found something"))
	}
	return nil
}

// examine looks at everything a run depends on. Without a configuration that
// can be read there is nothing to look at, which is its error.
func (a *app) examine(ctx context.Context) ([]examination, error) {
	c, err := a.load(nil)
	if err != nil {
		return nil, err
	}
	found := []examination{
		a.examined(a.say("設定", "configuration"), orNone(a, a.configPath), c.validateForRun()),
	}
	keys, err := a.secrets(c)
	found = append(found, a.examined(a.say("鍵", "keys"), a.keysDetail(keys), err))
	if err == nil {
		found = append(found, a.examineAPI(ctx, c, keys)...)
	}
	found = append(found, a.examineMail(ctx, c, keys))
	signing, signer := a.examineSigning(c)
	found = append(found, signing...)
	if c.SMTP.Mode == "smtp" {
		found = append(found, a.examineDomain(ctx, c, signer)...)
	}
	found = append(found, a.examineTexts(c)...)
	found = append(found, a.examineSlip(c), a.examineLedger(ctx, c), a.examineDisk(c), a.examineSchedule(c), a.examineInbox(c))
	if c.Follow.WebhookListen != "" {
		_, err := a.webhookSecrets(c.Follow)
		found = append(found, a.examined("Webhook", c.Follow.WebhookListen+c.Follow.WebhookPath, err))
	}
	return found, nil
}

// examineSchedule and examineInbox look at what serve depends on.
func (a *app) examineSchedule(c config) examination {
	times, err := c.Schedule.parse()
	if err != nil {
		return a.examined(a.say("予定", "schedule"), "", err)
	}
	detail := a.say("次は ", "next: ") + japanTime(times.Next(a.now()))
	if schedule.Holidays(c.Schedule.Holidays) == schedule.SkipHolidays {
		detail += fmt.Sprintf(a.say("（祝日一覧：%s、%d年まで）", " (holidays: %s, until %d)"), schedule.Source(), schedule.LastYear())
	}
	return a.examined(a.say("予定", "schedule"), detail, nil)
}

func (a *app) examineInbox(c config) examination {
	name := a.say("受付フォルダー", "inbox")
	if _, err := os.Stat(c.Inbox.Folder); errors.Is(err, fs.ErrNotExist) {
		return a.examined(name, a.say("まだありません（konbill serve が作ります）", "not there yet; konbill serve makes it"), nil)
	}
	return a.examined(name, c.Inbox.Folder, tryWriting(c.Inbox.Folder))
}

func (a *app) examined(name, detail string, err error) examination {
	if err == nil {
		return examination{Name: name, OK: true, Detail: detail}
	}
	reason, hint := a.explain(err)
	return examination{Name: name, Detail: reason, Hint: hint}
}

func (a *app) keysDetail(keys secrets) string {
	if omise.LiveKey(keys.SecretKey) {
		return a.say("本番", "live")
	}
	return a.say("テスト", "test")
}

func (a *app) examineAPI(ctx context.Context, c config, keys secrets) []examination {
	reach := a.say("決済サービス", "payment service")
	client, err := a.client(c, keys, nil)
	if err != nil {
		return []examination{a.examined(reach, "", err)}
	}
	account, err := client.Account(ctx)
	found := []examination{a.examined(reach, c.Omise.APIURL+" "+account.ID, err)}
	if err != nil {
		return found
	}
	offer, err := client.Capability(ctx)
	konbini := a.examined(a.say("コンビニ払い", "konbini payment"), a.say("利用できます", "available"), err)
	if err == nil && !offer.Econtext {
		konbini.OK = false
		konbini.Detail = a.say("このアカウントでは利用できません", "not enabled on this account")
		konbini.Hint = a.say("support@opn.ooo に利用を申し込んでください", "ask support@opn.ooo to enable it")
	}
	found = append(found, konbini)
	if err == nil && !offer.ServerTime.IsZero() {
		found = append(found, a.examineClock(offer.ServerTime))
	}
	return found
}

func (a *app) examineClock(server time.Time) examination {
	off := a.now().Sub(server).Abs().Round(time.Second)
	e := examination{Name: a.say("時計", "clock"), OK: off <= clockTolerance, Detail: fmt.Sprintf(a.say("ずれ %v", "off by %v"), off)}
	if !e.OK {
		e.Hint = a.say("PC の時計を合わせてください", "set this machine's clock")
	}
	return e
}

func (a *app) examineMail(ctx context.Context, c config, keys secrets) examination {
	name := a.say("メール", "mail")
	switch c.SMTP.Mode {
	case "off":
		return a.examined(name, a.say("送信しません（smtp.mode = \"off\"）", "off (smtp.mode)"), nil)
	case "folder":
		return a.examined(name, c.SMTP.Folder, tryWriting(c.SMTP.Folder))
	}
	server := fmt.Sprintf("%s:%d %s", c.SMTP.Host, c.SMTP.Port, c.SMTP.TLS)
	s, err := c.smtp(keys)
	if err != nil {
		return a.examined(name, server, err)
	}
	defer s.Close()
	return a.examined(name, server, s.Check(ctx))
}

// renewBefore is how long before its end a certificate wants to be renewed.
const renewBefore = 30 * 24 * time.Hour

// examineSigning looks at the keys that mails are signed with, if any, and
// returns what signs them; nil: nothing does.
func (a *app) examineSigning(c config) ([]examination, *mailer.Signer) {
	if c.SMTP.Mode == "off" || c.SMTP.SMIMECertFile == "" && c.SMTP.DKIMKeyFile == "" {
		return nil, nil
	}
	name := a.say("署名", "signing")
	signer, err := a.signer(c)
	if err != nil {
		return []examination{a.examined(name, "", err)}, nil
	}
	var kinds []string
	if _, record := signer.DKIMRecord(); record != "" {
		kinds = append(kinds, "DKIM "+c.SMTP.DKIMDomain)
	}
	certificate := signer.Certificate()
	if certificate == nil {
		return []examination{a.examined(name, strings.Join(kinds, ", "), nil)}, signer
	}
	kinds = append(kinds, fmt.Sprintf(a.say("S/MIME（%s まで有効）", "S/MIME (valid until %s)"), certificate.NotAfter.Format(time.DateOnly)))
	e := a.examined(name, strings.Join(kinds, ", "), nil)
	if certificate.NotAfter.Sub(a.now()) < renewBefore {
		e.Note = true
		e.Hint = a.say("証明書の期限が近づいています。切れると発行できなくなるため、早めに更新してください", "the certificate is about to expire, and runs stop when it has; renew it")
	}
	return []examination{e}, signer
}

// examineSlip draws a slip, as every row of a run does, and looks for characters
// of the merchant's that no font has.
func (a *app) examineSlip(c config) examination {
	name := a.say("伝票", "slip")
	merchant := c.merchant()
	layout, err := c.layout()
	if err != nil {
		return a.examined(name, "", err)
	}
	if missing := slip.Missing(merchant.Name + merchant.Address + merchant.Phone + merchant.Hours + merchant.Email); len(missing) > 0 {
		return examination{
			Name: name, Detail: fmt.Sprintf(a.say("[merchant] の %s は、伝票の書体にないため〓と印字されます", "the slip's fonts lack %s in [merchant], which prints as 〓"), spaced(missing)),
			Hint: a.say("別の表記にしてください", "write it otherwise"),
		}
	}
	inv := invoice.Invoice{
		Number: "DOCTOR", Name: "髙橋 﨑 Doctor", Amount: invoice.MinAmount, Language: a.lang, Phone: "0312345678",
	}
	press, err := slip.NewPress(merchant, layout, slices.Values([]invoice.Invoice{inv}))
	if err == nil {
		_, err = press.Draw(templates.Instructions{
			Merchant: merchant, Invoice: inv,
			PaymentCode: sampleCode, AuthorizeURI: sampleLink, ExpiresAt: a.now(), Sample: true,
		})
	}
	return a.examined(name, "BIZ UDPGothic, Noto Sans JP", err)
}

// spaced lists characters with spaces between them.
func spaced(characters []rune) string {
	return strings.Join(strings.Split(string(characters), ""), " ")
}

func (a *app) examineLedger(ctx context.Context, c config) examination {
	name := a.say("台帳", "ledger")
	book, err := ledger.Open(ctx, c.Ledger.URL)
	if err != nil {
		return a.examined(name, "", err)
	}
	defer book.Close()
	return a.examined(name, book.Place(), book.Check(ctx))
}

// examineDisk writes and syncs where the ledger lives, or, where that is a server,
// where we are: a full disk or a wrong permission must not first show up between a
// charge and its record.
func (a *app) examineDisk(c config) examination {
	folder := "."
	if path, err := ledger.Path(c.Ledger.URL); err == nil {
		folder = filepath.Dir(path)
	}
	return a.examined(a.say("ディスク", "disk"), folder, tryWriting(folder))
}

// tryWriting stores as much as a small run does, and takes it away again.
func tryWriting(dir string) error {
	path := filepath.Join(dir, fmt.Sprintf(".konbill-doctor-%d", os.Getpid()))
	if err := batch.WriteFile(path, make([]byte, 8<<20)); err != nil {
		return err
	}
	return os.Remove(path)
}

func (a *app) printExaminations(found []examination) {
	var rows [][]string
	for _, e := range found {
		mark := "OK"
		switch {
		case !e.OK:
			mark = "NG"
		case e.Note:
			mark = "--"
		}
		rows = append(rows, []string{mark, e.Name, e.Detail})
	}
	table(a.stdout, rows)
	for _, e := range found {
		if e.Hint != "" {
			fmt.Fprintf(a.stdout, "%s %s: %s\n", a.say("対処：", "hint:"), e.Name, e.Hint)
		}
	}
}
