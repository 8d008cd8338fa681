package invoice

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// testNow is a Tuesday noon in Japan. The rules count days from it.
var testNow = time.Date(2026, 11, 24, 12, 0, 0, 0, Japan)

var testRules = Rules{DueDays: 30, MaxDueDays: 60, NameOverflow: CutName, Language: Japanese}

func testRow() *row { return &row{line: 2, rules: testRules, now: testNow} }

func codesOf(findings []Finding) string {
	var codes []string
	for _, f := range findings {
		codes = append(codes, string(f.Code))
	}
	return strings.Join(codes, " ")
}

func TestName(t *testing.T) {
	for _, c := range []struct {
		written, sent, full string // full "": as written
		company             bool
		codes               string
	}{
		// People.
		{"山田太郎", "山田太郎", "", false, ""},
		{"山田 太郎", "山田太郎", "", false, ""},
		{"山田　太郎", "山田太郎", "山田 太郎", false, ""}, // the wide space becomes an ordinary one
		{"ヤマダタロウ", "ヤマダタロウ", "", false, ""},   // the page's sample
		{"ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダタロウ", "", false, "name_normalised"},
		{"ｳﾞｧﾚﾝﾁｰﾅ", "ヴァレンチーナ", "", false, "name_normalised"},
		{"ﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟ", "パピプペポ", "", false, "name_normalised"},
		{"ｶﾞｷﾞｸﾞｹﾞｺﾞｻﾞｼﾞｽﾞｾﾞｿﾞ", "ガギグゲゴザジズゼゾ", "", false, "name_normalised"}, // 20 runes written, 10 composed
		{"やまた\u3099 はなこ", "やまだはなこ", "やまだ はなこ", false, ""},                    // as macOS decomposes it
		{"神 龍之介", "神龍之介", "", false, ""},                                     // U+FA19 is not 神
		{"塚本 晴美", "塚本晴美", "", false, ""},                                     // U+FA10, U+FA12
		{"神﨑 髙子", "神﨑髙子", "", false, ""},                                     // U+FA11, U+9AD9
		{"渡邉 惠美子", "渡邉惠美子", "", false, ""},
		{"佐々木 一郎", "佐々木一郎", "", false, ""},
		{"〆木 花子", "〆木花子", "", false, ""},
		{"〇〇商店", "〇〇商店", "", false, ""},
		{"𠮷野 家子", "𠮷野家子", "", false, ""},                // one character beyond U+FFFF
		{"葛\U000E0100城 市子", "葛城市子", "葛城 市子", false, ""}, // a variation selector
		{"いすゞ 太郎", "いすゞ太郎", "", false, ""},
		{"キム・ミンジュン", "キムミンジュン", "", false, "name_normalised"},
		{"ｷﾑ･ﾐﾝｼﾞｭﾝ", "キムミンジュン", "", false, "name_normalised"},
		{"三ヶ島 ルミ子", "三ヶ島ルミ子", "", false, ""},
		{"林", "林", "", false, ""},
		{"サ-ビス", "サビス", "", false, "name_normalised"}, // a hyphen is not ー, and nobody knows that it was meant
		{"サ−ビス", "サビス", "", false, "name_normalised"}, // U+2212
		{"サ―ビス", "サビス", "", false, "name_normalised"}, // U+2015
		{"サｰﾋﾞｽ", "サービス", "", false, "name_normalised"},
		{"John Smith", "JohnSmith", "", false, ""},
		{"Ｊｏｈｎ　Ｓｍｉｔｈ", "JohnSmith", "Ｊｏｈｎ Ｓｍｉｔｈ", false, "name_normalised"}, // width kept on the slip
		{"José Núñez", "JoseNunez", "", false, "name_normalised"},
		{"O'Brien, Mary", "OBrienMary", "", false, "name_normalised"},
		{"Søren", "Sren", "", false, "name_characters_dropped"}, // ø is no o with an accent
		{"Alexandria Montgomery", "Alexandria", "", false, "name_shortened"},
		{"寿限無寿限無五劫の擦り切れ", "寿限無寿限無五劫の擦", "", false, "name_shortened"},
		{"⼭⽥ 太郎", "山田太郎", "", false, "name_normalised"}, // Kangxi radicals, copied from a PDF
		{"김민준", "", "", false, "name_unusable"},
		{"★★★", "", "", false, "name_unusable"},
		{"・", "", "", false, "name_unusable"},
		{"株式会社", "株式会社", "", true, ""}, // all there is
		{"㈱", "", "", true, "name_unusable"},
		{"", "", "", false, "name_missing"},
		{"　 ", "", "", false, "name_missing"},
		{"\u200b", "", "", false, "name_missing"}, // a zero-width space
		{"田中①", "田中", "", false, "name_characters_dropped"},
		{"田中Ⅲ世", "田中世", "", false, "name_characters_dropped"},
		{"花子😊", "花子", "", false, "name_characters_dropped"},
		{"田\ue000中", "田中", "", false, "name_characters_dropped"}, // a company's own character
		{"㌔山", "山", "", false, "name_characters_dropped"},        // Unicode calls it katakana
		{"山田太郎（経理部）", "山田太郎経理部", "", false, "name_normalised"},

		// Honorifics.
		{"山田太郎様", "山田太郎", "山田太郎", false, "honorific_removed"},
		{"山田太郎　様", "山田太郎", "山田太郎", false, "honorific_removed"},
		{"林様", "林", "林", false, "honorific_removed"},
		{"様", "様", "", false, ""}, // nothing would be left
		{"様子 花", "様子花", "", false, ""},
		{"殿村 健", "殿村健", "", false, ""},
		{"鵜殿", "鵜殿", "", false, ""}, // a family name
		{"鵜殿様", "鵜殿", "鵜殿", false, "honorific_removed"},
		{"山田殿", "山田", "山田", false, "honorific_removed"},
		{"林 殿", "林", "林", false, "honorific_removed"},
		{"やまだはなこさま", "やまだはなこ", "やまだはなこ", false, "honorific_removed"},
		{"おひさま", "おひさま", "", false, ""}, // a nursery
		{"株式会社おひさま", "株式会社おひさま", "", true, ""},
		{"さくら商会 御中", "さくら商会", "さくら商会", true, "honorific_removed"},
		{"株式会社さくら商会 ご担当者様", "株式会社さくら商会", "株式会社さくら商会", true, "honorific_removed"},
		{"会員各位", "会員", "会員", true, "honorific_removed"},
		{"山田様様", "山田", "山田", false, "honorific_removed"},

		// Companies.
		{"株式会社さくら商会", "株式会社さくら商会", "", true, ""}, // short enough with its form
		{"㈱さくら商会", "さくら商会", "", true, "name_normalised"},
		{"（株）さくら商会", "さくら商会", "", true, "name_normalised"},
		{"さくら商会(株)", "さくら商会", "", true, "name_normalised"},
		{"さくら商会（ 株 ）", "さくら商会", "", true, "name_normalised"},
		{"ｻｸﾗｼｮｳｶｲ(ｶ", "サクラショウカイ", "", true, "name_normalised"}, // as banks write it
		{"ｶ)ｻｸﾗ", "サクラ", "", true, "name_normalised"},
		{"㍿髙島", "髙島", "", true, "name_normalised"},
		{"㈲髙橋工務店", "髙橋工務店", "", true, "name_normalised"},
		{"(一社)地域会", "地域会", "", true, "name_normalised"},
		{"一般社団法人日本地域振興協会", "日本地域振興協会", "", true, "name_shortened"},
		{"東京システム開発販売株式会社", "東京システム開発販売", "", true, "name_shortened"},
		{"認定特定非営利活動法人みどり", "みどり", "", true, "name_shortened"},
		{"東京海上システムサービス株式会社", "東京海上システムサー", "", true, "name_shortened"},
		{"全国農業協同組合連合会", "全国農業協同組合連合", "", false, "name_shortened"}, // no legal form in the middle
		{"東京みなみ農業協同組合", "東京みなみ農業", "", true, "name_shortened"},
		{"Sakura Trading Co., Ltd.", "SakuraTrad", "", true, "name_shortened"},
		{"Acme Inc.", "AcmeInc", "", true, "name_normalised"},
		{"Acme Foods Inc.", "AcmeFoods", "", true, "name_shortened"},
		{"Incognito", "Incognito", "", false, ""},
		{"医療法人社団さくら会", "医療法人社団さくら会", "", true, ""},
	} {
		r := testRow()
		n := r.name(c.written)
		full := c.full
		if full == "" && clean(c.written) != "" {
			full = c.written
		}
		if n.sent != c.sent || n.full != full || n.company != c.company || codesOf(r.findings) != c.codes {
			t.Errorf("%q: sent %q full %q company %v [%s]; want %q %q %v [%s]",
				c.written, n.sent, n.full, n.company, codesOf(r.findings), c.sent, full, c.company, c.codes)
		}
	}
}

func TestNameOverflowRejects(t *testing.T) {
	for written, want := range map[string]string{
		"寿限無寿限無五劫の擦り切れ":  "name_too_long",
		"東京システム開発販売株式会社": "name_shortened", // without its form it needs no cut
		"山田太郎": "",
	} {
		r := testRow()
		r.rules.NameOverflow = RejectName
		r.name(written)
		if codesOf(r.findings) != want {
			t.Errorf("%q: [%s], want [%s]", written, codesOf(r.findings), want)
		}
	}
}

func TestPhone(t *testing.T) {
	for _, c := range []struct{ written, want, codes string }{
		{"09012345678", "09012345678", ""},
		{"090-1234-5678", "09012345678", ""},
		{"０９０－１２３４－５６７８", "09012345678", ""},
		{"090 1234 5678", "09012345678", ""},
		{"090　1234　5678", "09012345678", ""},
		{"090‐1234‑5678", "09012345678", ""}, // U+2010, U+2011
		{"090–1234—5678", "09012345678", ""}, // U+2013, U+2014
		{"090―1234−5678", "09012345678", ""}, // U+2015, U+2212
		{"090ー1234ｰ5678", "09012345678", ""}, // the long vowel mark, both widths
		{"090─1234━5678", "09012345678", ""}, // box drawing
		{"(03)1234-5678", "0312345678", ""},
		{"（03）1234－5678", "0312345678", ""},
		{"03.1234.5678", "0312345678", ""},
		{"0120-123-456", "0120123456", ""},
		{"050-3456-7890", "05034567890", ""},
		{"+81 90-1234-5678", "09012345678", "phone_normalised"},
		{"+81 (0)90 1234 5678", "09012345678", "phone_normalised"},
		{"＋８１９０１２３４５６７８", "09012345678", "phone_normalised"},
		{"0081-90-1234-5678", "09012345678", "phone_normalised"},
		{"+81 3 1234 5678", "0312345678", "phone_normalised"},
		{"9012345678", "09012345678", "phone_zero_restored"},
		{"312345678", "0312345678", "phone_zero_restored"},
		{"9012345678.0", "09012345678", "phone_zero_restored"}, // a data frame's column of numbers
		{"01234567891", "01234567891", "phone_implausible"},    // the page's sample passes
		{"09000001111", "09000001111", "phone_implausible"},
		{"0000000000", "0000000000", "phone_implausible"},
		{"\u202a09012345678\u202c", "09012345678", ""}, // bidi marks, as copied from a phone's contacts
		{"9.01235E+09", "", "phone_scientific"},
		{"9.01E9", "", "phone_scientific"},
		{"9,01235E+09", "", "phone_scientific"}, // a German spreadsheet
		{"", "", "phone_missing"},
		{"090-1234-567", "0901234567", "phone_implausible"}, // a digit is missing, but ten are allowed
		{"090-1234-56789", "", "phone_invalid"},
		{"12345678", "", "phone_invalid"},
		{"12345678901", "", "phone_invalid"}, // eleven digits that don't begin with 0
		{"+1 415 555 2671", "", "phone_invalid"},
		{"090-1234-5678 / 03-1234-5678", "", "phone_invalid"},
		{"090-1234-5678（携帯）", "", "phone_invalid"},
		{"なし", "", "phone_invalid"},
		{"٠٩٠١٢٣٤٥٦٧٨", "", "phone_invalid"}, // digits, but not ASCII's
	} {
		r := testRow()
		if got := r.phone(c.written); got != c.want || codesOf(r.findings) != c.codes {
			t.Errorf("%q: %q [%s], want %q [%s]", c.written, got, codesOf(r.findings), c.want, c.codes)
		}
	}
}

func TestEmail(t *testing.T) {
	fifty := strings.Repeat("a", 38) + "@example.com"
	for _, c := range []struct{ written, want, codes string }{
		{"taro.yamada@example.com", "taro.yamada@example.com", ""},
		{"Taro_Y-1@Mail.Example.co.jp", "Taro_Y-1@Mail.Example.co.jp", ""},
		{"a@b.co", "a@b.co", ""}, // six characters
		{fifty, fifty, ""},
		{"a" + fifty, "", "email_length"},
		{strings.Repeat("a", 100) + "@example.com", "", "email_length"},
		{" taro@example.com\u00a0", "taro@example.com", ""},
		{"ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", "taro@example.com", "email_normalised"},
		{"mailto:taro@example.com", "taro@example.com", "email_normalised"},
		{"MailTo:taro@example.com?subject=Hi", "taro@example.com", "email_normalised"},
		{"山田太郎 <taro@example.com>", "taro@example.com", "email_normalised"},
		{`"taro@example.com" <taro@example.com>`, "taro@example.com", "email_normalised"}, // Outlook
		{"山田太郎＜taro@example.com＞", "taro@example.com", "email_normalised"},
		{"a..b@docomo.ne.jp", "a..b@docomo.ne.jp", ""},
		{"a.@ezweb.ne.jp", "a.@ezweb.ne.jp", ""},
		{"a.@Docomo.ne.jp", "a.@Docomo.ne.jp", ""},
		{`"a..b"@docomo.ne.jp`, "a..b@docomo.ne.jp", "email_normalised"},
		{".a@docomo.ne.jp", "", "email_invalid"}, // carriers never gave out a dot in front
		{"a..b@example.com", "", "email_invalid"},
		{"a..b@notdocomo.ne.jp", "", "email_invalid"},
		{"taro+bill@example.com", "taro+bill@example.com", "email_may_be_refused"},
		{"taro@gmial.com", "taro@gmial.com", "email_probable_typo"},
		{"taro@example.con", "taro@example.con", "email_probable_typo"},
		{"taro@yahoo.co.jo", "taro@yahoo.co.jo", "email_probable_typo"},
		{"taro@gmail.co.jp", "taro@gmail.co.jp", "email_probable_typo"},
		{"", "", "email_missing"},
		{"taro", "", "email_invalid"},
		{"taro@", "", "email_invalid"},
		{"@example.com", "", "email_invalid"},
		{"taro@localhost", "", "email_invalid"},
		{"taro@192.168.0.1", "", "email_invalid"},
		{"taro@example..com", "", "email_invalid"},
		{"taro@-example.com", "", "email_invalid"},
		{"taro @example.com", "", "email_invalid"},
		{"太郎@example.com", "", "email_invalid"},
		{"taro@例え.jp", "", "email_invalid"},
		{"taro@example,com", "", "email_invalid"},
		{"a@example.com, b@example.com", "", "email_several"},
		{"a@example.com b@example.com", "", "email_several"},
		{"A <a@example.com>, B <b@example.com>", "", "email_several"},
		{"a@example.com; B <b@example.com>", "", "email_several"},
		{"a@example.com\r\nBcc: b@example.com", "", "email_several"}, // no header gets in
	} {
		r := testRow()
		if got := r.email(c.written); got != c.want || codesOf(r.findings) != c.codes {
			t.Errorf("%q: %q [%s], want %q [%s]", c.written, got, codesOf(r.findings), c.want, c.codes)
		}
	}
}

func TestAmount(t *testing.T) {
	for _, c := range []struct {
		written string
		want    Yen
		codes   string
	}{
		{"3000", 3000, ""},
		{"3,000", 3000, ""},
		{"¥3,000", 3000, ""},
		{"￥3,000", 3000, ""},
		{`\3,000`, 3000, ""}, // how ¥ looks to programs from abroad
		{"３，０００円", 3000, ""},
		{"３０００", 3000, ""},
		{"3000.00", 3000, ""},
		{"3,000.0", 3000, ""},
		{"3000.0000", 3000, ""}, // the money type of a database
		{"￥3000-", 3000, ""},
		{"￥3,000.-", 3000, ""},
		{"￥３，０００－", 3000, ""},
		{"¥3,000ー", 3000, ""},
		{"3,000円-", 3000, ""},
		{"3,000円也", 3000, ""},
		{"金3,000円也", 3000, ""},
		{"金 3,000 円", 3000, ""},
		{"JPY 3000", 3000, ""},
		{"3000 JPY", 3000, ""},
		{" 3000 ", 3000, ""},
		{"003000", 3000, ""},
		{"200", 200, ""},
		{"49,999", 49999, ""},
		{"199", 199, "amount_too_small"},
		{"0", 0, "amount_too_small"},
		{"50,000", 50000, "amount_too_large"},
		{"99999999999999999999999999", 0, "amount_too_large"},
		{"999999999999999", 999999999999999, "amount_too_large"},
		{"3,00", 0, "amount_unreadable"},
		{"3,0000", 0, "amount_unreadable"},
		{"3000,000", 0, "amount_unreadable"},
		{",300", 0, "amount_unreadable"},
		{"3,,000", 0, "amount_unreadable"},
		{"1e3", 0, "amount_unreadable"},
		{"3.5E+03", 0, "amount_unreadable"},
		{"0x1F4", 0, "amount_unreadable"},
		{"3.000", 0, "amount_unreadable"}, // 3 or 3000, depending on the country
		{"300.000", 0, "amount_unreadable"},
		{"3000.", 0, "amount_unreadable"},
		{".5", 0, "amount_unreadable"},
		{"3 000", 0, "amount_unreadable"},
		{"3000-", 0, "amount_unreadable"}, // minus 3000, to some accounting programs
		{"(3000", 0, "amount_unreadable"},
		{"3000)", 0, "amount_unreadable"},
		{"3000+", 0, "amount_unreadable"},
		{"$30", 0, "amount_unreadable"},
		{"三千円", 0, "amount_unreadable"},
		{"3千円", 0, "amount_unreadable"},
		{"円", 0, "amount_unreadable"},
		{"-", 0, "amount_unreadable"},
		{"無料", 0, "amount_unreadable"},
		{"#REF!", 0, "amount_unreadable"},
		{"3000.5", 0, "amount_not_whole_yen"},
		{"3,000.01円", 0, "amount_not_whole_yen"},
		{"-3000", 0, "amount_negative"},
		{"－3,000", 0, "amount_negative"},
		{"−3000", 0, "amount_negative"}, // U+2212
		{"△3,000", 0, "amount_negative"},
		{"▲3,000円", 0, "amount_negative"},
		{"(3,000)", 0, "amount_negative"},
		{"（3,000）", 0, "amount_negative"},
		{"-¥3,000", 0, "amount_negative"},
		{"¥-3,000", 0, "amount_negative"},
		{"", 0, "amount_missing"},
		{"　", 0, "amount_missing"},
	} {
		r := testRow()
		if got := r.amount(c.written); got != c.want || codesOf(r.findings) != c.codes {
			t.Errorf("%q: %d [%s], want %d [%s]", c.written, got, codesOf(r.findings), c.want, c.codes)
		}
	}
}

func TestYenIsWrittenForPeople(t *testing.T) {
	for yen, want := range map[Yen]string{
		0: "0", 200: "200", 3000: "3,000", 49_999: "49,999", 1_234_567: "1,234,567", -3000: "-3,000",
		-1 << 63: "-9,223,372,036,854,775,808",
	} {
		if yen.String() != want {
			t.Errorf("%d: %s, want %s", yen, yen, want)
		}
	}
	if got := Yen(3000).Format(Japanese) + Yen(3000).Format(English); got != "3,000円¥3,000" {
		t.Error(got)
	}
}

func TestDue(t *testing.T) {
	const newYearsEve = "2026-12-31T15:00:00Z" // its end in Japan
	for _, c := range []struct{ written, want, codes string }{
		{"2026-12-31", newYearsEve, ""},
		{"2026/12/31", newYearsEve, ""},
		{"2026.12.31", newYearsEve, ""},
		{"20261231", newYearsEve, ""},
		{"2026年12月31日", newYearsEve, ""},
		{"２０２６年１２月３１日", newYearsEve, ""},
		{"2026年 12月 31日", newYearsEve, ""},
		{"令和8年12月31日", newYearsEve, ""},
		{"令和８年１２月３１日", newYearsEve, ""},
		{"R8.12.31", newYearsEve, ""},
		{"r8/12/31", newYearsEve, ""},
		{"R08.12.31", newYearsEve, ""},
		{"平成38年12月31日", newYearsEve, ""}, // written before the era changed
		{"2026-12-31(木)", newYearsEve, ""},
		{"2026年12月31日（木曜日）", newYearsEve, ""},
		{"2026/12/31 (Thu)", newYearsEve, ""},
		{"2026/12/31 0:00", newYearsEve, ""}, // a spreadsheet's midnight is the date
		{"2026/12/31 00:00:00", newYearsEve, ""},
		{"2026-12-31T00:00:00", newYearsEve, ""},
		{"2026-12-31 24:00", newYearsEve, ""},
		{"2026-12-31 23:59:59", newYearsEve, ""},
		{"2026/1/5", "2026-01-05T15:00:00Z", "due_past"},
		{"2026-12-31T23:59:59+09:00", "2026-12-31T14:59:59Z", ""},
		{"2026-12-31T15:00:00Z", newYearsEve, ""},
		{"2026-12-31t15:00:00z", newYearsEve, ""},
		{"2026-12-31 15:00:00+09:00", "2026-12-31T06:00:00Z", ""}, // RFC 3339 allows the space
		{"2026-12-31T15:00:00.999Z", newYearsEve, ""},             // whole seconds
		{"2026-11-24", "2026-11-24T15:00:00Z", ""},                // today, to its end
		{"2026-11-23", "2026-11-23T15:00:00Z", "due_past"},
		{"2026-11-24T12:00:00+09:00", "2026-11-24T03:00:00Z", "due_past"}, // this very instant
		{"2027-01-23", "2027-01-23T15:00:00Z", ""},                        // the sixtieth day
		{"2027-01-24", "2027-01-24T15:00:00Z", "due_too_far"},
		{"2027-01-24T00:00:00+09:00", "2027-01-23T15:00:00Z", ""},
		{"2027-01-24T00:00:01+09:00", "2027-01-23T15:00:01Z", "due_too_far"},
		{"令和元年5月1日", "2019-05-01T15:00:00Z", "due_past"},
		{"2026-02-30", "", "due_invalid"},
		{"2026-13-01", "", "due_invalid"},
		{"20261301", "", "due_invalid"},
		{"令和8年2月29日", "", "due_invalid"},
		{"31/12/2026", "", "due_ambiguous"},
		{"01/02/2026", "", "due_ambiguous"},
		{"26/12/31", "", "due_ambiguous"},
		{"8.12.31", "", "due_ambiguous"}, // Heisei, Reiwa or 2008
		{"46387", "", "due_serial"},
		{"46387.5", "", "due_serial"},
		{"2026-12-31T10:00:00", "", "due_unreadable"}, // an hour, but of which place?
		{"2026-12-31(必着)", "", "due_unreadable"},
		{"12/31", "", "due_unreadable"},
		{"12月31日", "", "due_unreadable"},
		{"月末", "", "due_unreadable"},
		{"令和8年", "", "due_unreadable"},
		{"2026-12-31-01", "", "due_unreadable"},
	} {
		r := testRow()
		at, given := r.due(c.written)
		got := ""
		if !at.IsZero() {
			got = at.Format(time.RFC3339)
		}
		if got != c.want || !given || codesOf(r.findings) != c.codes {
			t.Errorf("%q: %s %v [%s], want %s [%s]", c.written, got, given, codesOf(r.findings), c.want, c.codes)
		}
	}
}

func TestEmptyDueFollowsFromTheRules(t *testing.T) {
	at, given := testRow().due(" ")
	if want := "2026-12-24T15:00:00Z"; given || at.Format(time.RFC3339) != want {
		t.Errorf("%s %v, want %s", at.Format(time.RFC3339), given, want)
	}
}

// The day is Japan's, wherever the machine stands: at 14:59 UTC it is still the
// 24th, a minute later the 25th.
func TestDueNearMidnightInJapan(t *testing.T) {
	for _, c := range []struct{ now, written, codes, empty string }{
		{"2026-11-24T14:59:59Z", "2026-11-24", "", "2026-12-24T15:00:00Z"},
		{"2026-11-24T14:59:59Z", "2027-01-24", "due_too_far", "2026-12-24T15:00:00Z"},
		{"2026-11-24T15:00:00Z", "2026-11-24", "due_past", "2026-12-25T15:00:00Z"},
		{"2026-11-24T15:00:00Z", "2027-01-24", "", "2026-12-25T15:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		r := &row{rules: testRules, now: now}
		if r.due(c.written); codesOf(r.findings) != c.codes {
			t.Errorf("at %s, %s: [%s], want [%s]", c.now, c.written, codesOf(r.findings), c.codes)
		}
		if at, _ := r.due(""); at.Format(time.RFC3339) != c.empty {
			t.Errorf("at %s, empty: %s, want %s", c.now, at.Format(time.RFC3339), c.empty)
		}
	}
}

func TestSpreadsheetDayIsExplained(t *testing.T) {
	r := testRow()
	r.due("46387")
	if after := r.findings[0].After; after != "2026-12-31" {
		t.Errorf("46387 is taken for %s", after)
	}
}

func TestNumber(t *testing.T) {
	long := strings.Repeat("請", 64)
	for _, c := range []struct{ written, want, codes string }{
		{"INV-2001", "INV-2001", ""},
		{" INV-2001\t", "INV-2001", ""},
		{"ＩＮＶ－２", "ＩＮＶ－２", ""}, // a key of other systems, too: never folded
		{"請求 12/3", "請求 12/3", ""},
		{long, long, ""},
		{long + "求", long + "求", "invoice_no_too_long"},
		{"A\ue000", "A\ue000", "invoice_no_unprintable"},
		{"A\u200b1", "A1", ""},
		{"\u200b", "", "invoice_no_missing"},
		{"", "", "invoice_no_missing"},
	} {
		r := testRow()
		if got := r.number(c.written); got != c.want || codesOf(r.findings) != c.codes {
			t.Errorf("%q: %q [%s], want %q [%s]", c.written, got, codesOf(r.findings), c.want, c.codes)
		}
	}
}

func TestDetails(t *testing.T) {
	for written, want := range map[string]Language{
		"": Japanese, "ja": Japanese, "日本語": Japanese, "EN": English, "ｅｎ": English, "en-US": English, "ja_JP": Japanese,
	} {
		r := testRow()
		if got := r.language(written); got != want || r.findings != nil {
			t.Errorf("language %q: %q [%s], want %q", written, got, codesOf(r.findings), want)
		}
	}
	for written, want := range map[string]int{
		"": 0, "10": 10, "10%": 10, "１０％": 10, "10.00": 10, "0.1": 10, "0.10": 10, "8": 8, "8 %": 8, "0.08": 8,
	} {
		r := testRow()
		if got := r.taxRate(written); got != want || r.findings != nil {
			t.Errorf("tax rate %q: %d [%s], want %d", written, got, codesOf(r.findings), want)
		}
	}
	for _, written := range []string{"5", "100", "80", "%", "非課税", "-10"} {
		r := testRow()
		if r.taxRate(written); codesOf(r.findings) != "tax_rate_invalid" {
			t.Errorf("tax rate %q: [%s]", written, codesOf(r.findings))
		}
	}
	for _, c := range []struct {
		written string
		rate    int
		want    Yen
		codes   string
	}{
		{"", 10, 0, ""}, {"272", 10, 272, ""}, {"273", 10, 273, ""}, {"300", 10, 300, "tax_mismatch"},
		{"300", 0, 300, ""}, {"３０００", 10, 0, "tax_invalid"}, {"27.2", 10, 0, "tax_invalid"}, {"-1", 10, 0, "tax_invalid"},
	} {
		r := testRow()
		if got := r.tax(c.written, 3000, c.rate); got != c.want || codesOf(r.findings) != c.codes {
			t.Errorf("tax %q: %d [%s], want %d [%s]", c.written, got, codesOf(r.findings), c.want, c.codes)
		}
	}
	r := testRow()
	if got := r.description("11月分\n 会費"); got != "11月分 会費" {
		t.Errorf("description %q", got)
	}
	if got := r.description(strings.Repeat("あ", 256)); len([]rune(got)) != 255 || codesOf(r.findings) != "description_shortened" {
		t.Errorf("%d characters [%s]", len([]rune(got)), codesOf(r.findings))
	}
}

func TestEveryTextIsExamined(t *testing.T) {
	damaged := func(set func(*Fields)) Fields {
		f := soundFields()
		set(&f)
		return f
	}
	for field, f := range map[Field]Fields{
		FieldNumber:      damaged(func(f *Fields) { f.Number += "\ufffd" }),
		FieldName:        damaged(func(f *Fields) { f.Name += "\ufffd" }),
		FieldDescription: damaged(func(f *Fields) { f.Description += "\ufffd" }),
		FieldLanguage:    damaged(func(f *Fields) { f.Language += "\ufffd" }),
		FieldEmail:       damaged(func(f *Fields) { f.Email += "\ufffd" }),
	} {
		checked := NewChecker(testRules, testNow).Check(2, f)
		at := slices.IndexFunc(checked.Findings, func(f Finding) bool { return f.Code == CodeTextDamaged })
		if !checked.Rejected() || at < 0 || checked.Findings[at].Field != field {
			t.Errorf("%s: %v", field, checked.Findings)
		}
	}
	f := soundFields()
	f.Name = "山田\u200b太郎"
	checked := NewChecker(testRules, testNow).Check(2, f)
	if codesOf(checked.Findings) != "text_cleaned" || checked.Invoice.Name != "山田太郎" {
		t.Errorf("%q %v", checked.Invoice.Name, checked.Findings)
	}
}

func soundFields() Fields {
	return Fields{Number: "INV-1", Name: "山田太郎", Email: "taro@example.com", Phone: "09012345678", Amount: "3000"}
}
