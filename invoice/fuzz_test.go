package invoice

import (
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// rejects reports whether a row was rejected, so that what it holds needn't
// keep any promise.
func (r *row) rejects() bool { return Checked{Findings: r.findings}.Rejected() }

func FuzzName(f *testing.F) {
	for _, seed := range []string{
		"山田 太郎", "ﾔﾏﾀﾞ ﾀﾛｳ", "神﨑 髙子", "㈱さくら商会", "一般社団法人日本地域振興協会", "John Smith", "José", "⼭⽥",
		"キム・ミンジュン", "様", "か\u3099き\u309a", "ﾜﾞｦﾞ", "𠮷\U000E0100", "\ufffd", "カ)(株)", "Ａ\u0301",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		r := testRow()
		n := r.name(written)
		if r.rejects() {
			return
		}
		if length := utf8.RuneCountInString(n.sent); length < 1 || length > MaxSentName || !isPlainThroughout(n.sent) {
			t.Errorf("%q is sent as %q", written, n.sent)
		}
		if n.full == "" || clean(n.full) != n.full {
			t.Errorf("%q is shown as %q", written, n.full)
		}
		again := testRow()
		if sent := again.sentName(n.sent, fold(n.sent)); sent != n.sent || again.findings != nil {
			t.Errorf("%q, sent again, is %q [%s]", n.sent, sent, codesOf(again.findings))
		}
	})
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"ﾔﾏﾀﾞ", "神\ufe00", "か\u3099", "　\u00a0\u200b", "ﾊﾟ゜", "Ａ－１", "ｳﾞ\u3099"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if once := clean(s); clean(once) != once || strings.ContainsFunc(once, isInvisible) {
			t.Errorf("clean %q: %q, %q", s, once, clean(once))
		}
		for _, r := range fold(s) {
			if r >= 0xF900 && r <= 0xFAFF && !strings.ContainsRune(s, r) {
				t.Errorf("fold made %q of %q", fold(s), s)
			}
		}
		for _, r := range clean(s) {
			if r >= 0x4E00 && !strings.ContainsRune(s, r) && r != utf8.RuneError {
				t.Errorf("clean made %q of %q", clean(s), s)
			}
		}
	})
}

func FuzzPhone(f *testing.F) {
	for _, seed := range []string{"090-1234-5678", "+81 (0)90", "+819012345678", "9012345678", "9.01E+09", "0081", "（03）1234－5678", "0120.0", "+81+81"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		r := testRow()
		phone := r.phone(written)
		if r.rejects() {
			return
		}
		if !onlyDigits(phone) || len(phone) < minPhone || len(phone) > maxPhone || phone[0] != '0' {
			t.Errorf("%q: %q", written, phone)
		}
		again := testRow()
		if same := again.phone(phone); same != phone || again.rejects() {
			t.Errorf("%q, read again, is %q", phone, same)
		}
	})
}

func FuzzEmail(f *testing.F) {
	for _, seed := range []string{
		"taro@example.com", "a..b@docomo.ne.jp", `"a..b"@docomo.ne.jp`, "Taro <taro@example.com>", "mailto:a@b.co?x", "a@b.co,c@d.co",
		"ａ＠ｂ．ｃｏ", "<<a@b.co>>", "a@b@c.co", "a@b.co\r\nBcc: c@d.co", `""@docomo.ne.jp`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		r := testRow()
		address := r.email(written)
		if r.rejects() {
			return
		}
		if len(address) < minEmail || len(address) > maxEmail || !isPrintableASCII(address) ||
			strings.Count(address, "@") != 1 || strings.ContainsAny(address, ` ,;<>"`) {
			t.Errorf("%q: %q", written, address)
		}
		again := testRow()
		if same := again.email(address); same != address || again.rejects() {
			t.Errorf("%q, read again, is %q [%s]", address, same, codesOf(again.findings))
		}
	})
}

func FuzzAmount(f *testing.F) {
	for _, seed := range []string{"3000", "¥3,000", "３，０００円", "3000.00", "￥3000-", "3,00", "1e3", "△3,000", "(3,000)", "金3,000円也", "3.000", "円円"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		r := testRow()
		yen := r.amount(written)
		if r.rejects() {
			return
		}
		if yen < MinAmount || yen > MaxAmount {
			t.Errorf("%q: %d", written, yen)
		}
		// Nothing but the digits that were written makes the amount.
		whole, _, _ := strings.Cut(fold(written), ".")
		digits := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, whole)
		if strings.TrimLeft(digits, "0") != strconv.FormatInt(int64(yen), 10) {
			t.Errorf("%q: %d", written, yen)
		}
		for _, formatted := range []string{yen.String(), yen.Format(Japanese), yen.Format(English)} {
			if same, fault := parseYen(formatted); same != yen || fault != "" {
				t.Errorf("%d, written %q, is %d %s", yen, formatted, same, fault)
			}
		}
	})
}

func FuzzDue(f *testing.F) {
	for _, seed := range []string{
		"2026-12-31", "2026/12/31 0:00", "20261231", "令和8年12月31日", "R8.12.31", "2026-12-31T15:00:00Z", "31/12/2026", "46387",
		"2026-02-30", "2026-12-31(木)", "令和元年5月1日", "2026-12-31 24:00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		r := testRow()
		at, given := r.due(written)
		if r.rejects() {
			return
		}
		if !at.After(testNow) || at.After(endOf(r.today().AddDate(0, 0, testRules.MaxDueDays))) || at.Location() != time.UTC {
			t.Errorf("%q: %s", written, at)
		}
		if !given {
			return
		}
		if same, fault, _ := parseDue(at.In(Japan).Format(time.RFC3339)); !same.Equal(at) || fault != "" {
			t.Errorf("%q: %s, read again, is %s %s", written, at, same, fault)
		}
	})
}
