package main

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"konbill/batch/ledger"
	"konbill/batch/schedule"
	"konbill/mailer"
)

// Bounds of settings, where a larger or smaller value would be a mistake.
const (
	maxWorkers     = 32 // the API's advice is about 10
	maxPace        = 100
	minTimeout     = time.Second
	maxTimeout     = 10 * time.Minute
	settleMargin   = 10 * time.Second
	maxSettle      = time.Hour
	maxConnections = 32
	maxDueDays     = 365
	maxRows        = 1_000_000
	minStable      = 100 * time.Millisecond
	minTakeOver    = 2 * time.Second
	maxTakeOver    = time.Minute
	maxStable      = time.Hour
	maxSync        = 24 * time.Hour
)

// validate looks at every setting by itself. The error is a *configError.
func (c config) validate() error {
	for _, check := range []*configError{
		oneOf("lang", c.Lang, "ja", "en"),
		registrationNumber(c.Merchant.RegistrationNumber),
		between("slip.per_page", c.Slip.PerPage, 1, 3),
		wholeSheet(c.Slip),
		apiURL(c.Omise.APIURL),
		oneOf("omise.flow", c.Omise.Flow, "single", "source-first"),
		between("omise.workers", c.Omise.Workers, 1, maxWorkers),
		pace(c.Omise.RequestsPerSecond),
		between("omise.timeout", c.Omise.Timeout, minTimeout, maxTimeout),
		// A charge can be made as long as its request may last, and a little longer.
		between("omise.settle_after", c.Omise.SettleAfter, c.Omise.Timeout+settleMargin, maxSettle),
		oneOf("smtp.mode", c.SMTP.Mode, "smtp", "folder", "off"),
		between("smtp.port", c.SMTP.Port, 1, 65_535),
		oneOf("smtp.tls", c.SMTP.TLS, "starttls", "implicit", "none"),
		between("smtp.connections", c.SMTP.Connections, 1, maxConnections),
		address("smtp.from", c.SMTP.From),
		address("smtp.reply_to", c.SMTP.ReplyTo),
		oneOf("smtp.on_unknown", c.SMTP.OnUnknown, "hold", "resend"),
		together(setting{"smtp.smime_cert_file", c.SMTP.SMIMECertFile}, setting{"smtp.smime_key_file", c.SMTP.SMIMEKeyFile}),
		together(setting{"smtp.dkim_domain", c.SMTP.DKIMDomain}, setting{"smtp.dkim_selector", c.SMTP.DKIMSelector}, setting{"smtp.dkim_key_file", c.SMTP.DKIMKeyFile}),
		between("invoice.max_due_days", c.Invoice.MaxDueDays, 1, maxDueDays),
		between("invoice.due_days", c.Invoice.DueDays, 1, c.Invoice.MaxDueDays),
		oneOf("invoice.name_overflow", c.Invoice.NameOverflow, "cut", "reject"),
		between("limits.max_rows", c.Limits.MaxRows, 1, maxRows),
		between("limits.max_total", c.Limits.MaxTotal, 0, 1_000_000_000_000),
		oneOf("results.encoding", c.Results.Encoding, "utf-8", "cp932"),
		ledgerURL(c.Ledger.URL),
		between("inbox.stable_for", c.Inbox.StableFor, minStable, maxStable),
		oneOf("schedule.holidays", c.Schedule.Holidays, string(schedule.RunOnHolidays), string(schedule.SkipHolidays)),
		c.Schedule.check(),
		addresses("notify.to", c.Notify.To),
		oneOf("notify.lang", c.Notify.Lang, "", "ja", "en"),
		timeOfDay("notify.expected_by", c.Notify.ExpectedBy),
		remindBefore(c.Follow.RemindBefore),
		between("follow.sync", c.Follow.Sync, 0, maxSync),
		loopbackAddress("follow.webhook_listen", c.Follow.WebhookListen, configNeedsProxy),
		urlPath("follow.webhook_path", c.Follow.WebhookPath),
		loopbackAddress("serve.listen", c.Serve.Listen, configNotLoopback),
		oneOf("serve.log", c.Serve.Log, "text", "json"),
		together(setting{"web.tls_cert_file", c.Web.TLSCertFile}, setting{"web.tls_key_file", c.Web.TLSKeyFile}),
		webAddress(c.Web),
		approval(c.Inbox, c.Web),
		oneOf("web.approval", c.Web.Approval, approvalByAny, approvalBySecond),
		between("serve.take_over_after", c.Serve.TakeOverAfter, minTakeOver, maxTakeOver),
	} {
		if check != nil {
			return check
		}
	}
	return nil
}

// validateForRun looks at what only a run needs. The error is a *configError.
func (c config) validateForRun() error {
	needed := map[string]string{"merchant.name": c.Merchant.Name}
	if c.SMTP.Mode != "off" {
		needed["smtp.from"] = c.SMTP.From
	}
	if c.SMTP.Mode == "smtp" {
		needed["smtp.host"] = c.SMTP.Host
	}
	for _, key := range []string{"merchant.name", "smtp.host", "smtp.from"} {
		if value, isNeeded := needed[key]; isNeeded && value == "" {
			return &configError{Key: key, Code: configMissing}
		}
	}
	if c.Merchant.Phone == "" && c.Merchant.Email == "" {
		return &configError{Key: "merchant.phone / merchant.email", Code: configMissing}
	}
	if c.SMTP.Mode == "smtp" && c.SMTP.TLS == "none" && !isLoopback(c.SMTP.Host) {
		return &configError{Key: "smtp.tls", Code: configPlainMail, Detail: c.SMTP.Host}
	}
	return nil
}

// validateForServe looks at what serve needs beside what a run does. The error
// is a *configError.
func (c config) validateForServe() error {
	switch off := c.SMTP.Mode == "off"; {
	case off && c.Notify.To != "":
		return &configError{Key: "notify.to", Code: configNeedsMail}
	case off && c.Follow.RemindBefore != "":
		return &configError{Key: "follow.remind_before", Code: configNeedsMail}
	case off && c.Follow.ReceiptMail:
		return &configError{Key: "follow.receipt_mail", Code: configNeedsMail}
	}
	return nil
}

func oneOf(key, value string, allowed ...string) *configError {
	if slices.Contains(allowed, value) {
		return nil
	}
	return &configError{Key: key, Code: configNotOneOf, Detail: value, Wanted: strings.Join(allowed, " | ")}
}

func between[N int | int64 | time.Duration](key string, value, least, most N) *configError {
	if least <= value && value <= most {
		return nil
	}
	return &configError{Key: key, Code: configOutOfBounds, Detail: fmt.Sprint(value), Wanted: fmt.Sprintf("%v – %v", least, most)}
}

func pace(perSecond float64) *configError {
	if perSecond > 0 && perSecond <= maxPace {
		return nil
	}
	return &configError{Key: "omise.requests_per_second", Code: configOutOfBounds, Detail: fmt.Sprint(perSecond), Wanted: fmt.Sprintf("> 0, ≤ %d", maxPace)}
}

func apiURL(value string) *configError {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		// Not quoted: somebody may have put a key there.
		return &configError{Key: "omise.api_url", Code: configNotBareURL}
	case u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return &configError{Key: "omise.api_url", Code: configPlainAPI, Detail: u.Scheme + "://" + u.Host}
}

func address(key, value string) *configError {
	if value == "" {
		return nil
	}
	if mailer.CheckAddress(value) != nil {
		return &configError{Key: key, Code: configNotAddress, Detail: value}
	}
	return nil
}

type setting struct{ key, value string }

// together finds what is missing among settings of which each needs the others.
func together(settings ...setting) *configError {
	missing := slices.IndexFunc(settings, func(s setting) bool { return s.value == "" })
	given := slices.IndexFunc(settings, func(s setting) bool { return s.value != "" })
	if missing < 0 || given < 0 {
		return nil
	}
	return &configError{Key: settings[missing].key, Code: configIncomplete, Detail: settings[given].key}
}

func ledgerURL(value string) *configError {
	if ledger.CheckURL(value) != nil {
		return &configError{
			Key: "ledger.url", Code: configNotOneOf, Detail: ledger.Redacted(value),
			Wanted: "sqlite:konbill.db | postgres://USER@HOST:5432/DATABASE",
		}
	}
	return nil
}

// check tries the schedule.
func (c scheduleConfig) check() *configError {
	_, err := c.parse()
	if wrong := new(schedule.SpecError); errors.As(err, &wrong) {
		return &configError{Key: "schedule." + string(wrong.Field), Code: configBadSchedule, Schedule: wrong}
	}
	return nil
}

func (c scheduleConfig) parse() (*schedule.Schedule, error) {
	return schedule.Parse(c.Cron, c.Timezone, schedule.Holidays(c.Holidays))
}

func addresses(key, value string) *configError {
	if value == "" {
		return nil
	}
	if _, err := mail.ParseAddressList(value); err != nil {
		return &configError{Key: key, Code: configNotAddress, Detail: value}
	}
	return nil
}

func timeOfDay(key, value string) *configError {
	if value == "" {
		return nil
	}
	if _, err := time.Parse("15:04", value); err != nil {
		return &configError{Key: key, Code: configNotOneOf, Detail: value, Wanted: "06:00"}
	}
	return nil
}

// loopbackAddress is where serve may listen: what it tells is for this machine,
// and what it hears comes through a proxy, since it speaks no TLS.
func loopbackAddress(key, value string, otherwise configCode) *configError {
	if value == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(value)
	if n, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || !isLoopback(host) || n == 0 {
		return &configError{Key: key, Code: otherwise, Detail: value}
	}
	return nil
}

// webAddress keeps what the page shows from travelling in the open.
func webAddress(c webConfig) *configError {
	if c.Listen == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(c.Listen)
	n, portErr := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || portErr != nil || n == 0:
		return &configError{Key: "web.listen", Code: configNotOneOf, Detail: c.Listen, Wanted: "127.0.0.1:8080"}
	case c.TLSCertFile == "" && !isLoopback(host):
		return &configError{Key: "web.listen", Code: configPlainWeb, Detail: c.Listen}
	case c.Hosts == "" && (host == "" || net.ParseIP(host).IsUnspecified()):
		return &configError{Key: "web.hosts", Code: configIncomplete, Detail: "web.listen"}
	}
	return nil
}

// approval wants the page on which files are approved. A file with a control total isn't
// shown there.
func approval(i inboxConfig, w webConfig) *configError {
	switch {
	case !i.Approval:
		return nil
	case w.Listen == "":
		return &configError{Key: "web.listen", Code: configIncomplete, Detail: "inbox.approval"}
	case i.RequireTotal:
		return &configError{Key: "inbox.approval", Code: configNotBoth, Detail: "inbox.require_total"}
	}
	return nil
}

// plainPath has nothing in it that a proxy would write otherwise.
// It takes a millisecond to compile, so only those who need it pay.
var plainPath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(/[A-Za-z0-9_-]{1,64}){1,8}$`) })

func urlPath(key, value string) *configError {
	if !plainPath().MatchString(value) {
		return &configError{Key: key, Code: configNotOneOf, Detail: value, Wanted: defaultConfig().Follow.WebhookPath}
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
