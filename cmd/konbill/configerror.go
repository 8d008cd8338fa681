package main

import (
	"fmt"

	"konbill/batch/schedule"
	"konbill/invoice"
	"konbill/mailer"
	"konbill/templates/slip"
)

// configCode is a kind of mistake in the configuration.
type configCode int

const (
	configUnreadable      configCode = iota // not TOML
	configUnknownKey                        // Detail: the key that was probably meant
	configUnknownColumn                     // Detail: the field under [columns]
	configWrongType                         // Detail: the value; Wanted: the type
	configNotOneOf                          // Detail: the value; Wanted: those allowed
	configOutOfBounds                       // Detail: the value; Wanted: the bounds
	configMissing                           // a run can't do without
	configNotAddress                        // Detail: what isn't a mail address
	configNotBareURL                        // more or less than scheme and host
	configPlainAPI                          // Detail: a URL that isn't https
	configPlainMail                         // Detail: a mail server without TLS
	configNotLoopback                       // Detail: an address that others can reach
	configNeedsProxy                        // Detail: an address that others can reach without TLS
	configPlainWeb                          // Detail: an address that others can reach without TLS
	configBadCertificate                    // Detail: what is wrong with it or its key
	configNoSecret                          // Detail: the setting that needs it
	configBadSecret                         // Detail: which of several
	configBadSchedule                       // Schedule: what is wrong with it
	configIncomplete                        // Detail: a setting that needs it
	configNotBoth                           // Detail: a setting that excludes it
	configBadSigning                        // Signing: what is wrong with a key or certificate
	configNeedsMail                         // smtp.mode = "off" leaves nothing to send it with
	configBadCheckDigit                     // Detail: a registration number with a wrong digit
	configBadLogo                           // Detail: the file; Logo: what is wrong with it
	configNeedsWholeSheet                   // slips with the address window don't share a sheet
)

// Types of settings, as messages name them.
const (
	typeText     = "text"
	typeTexts    = "texts"
	typeInteger  = "integer"
	typeNumber   = "number"
	typeDuration = "duration"
	typeTruth    = "truth"
)

// configError is one mistake in the configuration.
type configError struct {
	From   string // the source: a file's path, "environment", a flag; empty for the result of all
	Key    string
	Code   configCode
	Detail string
	Wanted string

	Schedule *schedule.SpecError // for configBadSchedule
	Signing  *mailer.KeyError    // for configBadSigning
	Logo     slip.LogoFault      // for configBadLogo
}

// Error implements error, in English.
func (e *configError) Error() string { return e.Message(invoice.English) }

// Message says which setting is wrong, and what it should be.
func (e *configError) Message(lang invoice.Language) string {
	if e.Code == configBadSchedule {
		return e.Schedule.Message(lang)
	}
	where := e.Key
	if e.From != "" && e.Key != "" {
		where = e.From + ": " + e.Key
	} else if e.From != "" {
		where = e.From
	}
	if lang == invoice.English {
		return where + " " + e.english()
	}
	return where + " " + e.japanese()
}

func (e *configError) english() string {
	switch e.Code {
	case configUnreadable:
		return "can't be read as TOML: " + e.Detail
	case configUnknownKey:
		if e.Detail == "" {
			return "is not a setting; konbill config lists them all"
		}
		return "is not a setting; did you mean " + e.Detail + "?"
	case configUnknownColumn:
		return "is not a column; the columns are invoice_no, name, email, phone, amount, due, description, language, tax_rate and tax"
	case configWrongType:
		return fmt.Sprintf("is %q; write %s", e.Detail, map[string]string{
			typeText: `a text in quotes`, typeTexts: `a list such as ["請求No", "Invoice ID"]`, typeInteger: "a whole number",
			typeNumber: "a number", typeDuration: `a duration such as "60s" or "2m"`,
			typeTruth: "true or false",
		}[e.Wanted])
	case configNotOneOf:
		return fmt.Sprintf("is %q; write it as %s", e.Detail, e.Wanted)
	case configOutOfBounds:
		return fmt.Sprintf("is %s; it can be %s", e.Detail, e.Wanted)
	case configMissing:
		return "is not set, and a run needs it"
	case configNotAddress:
		return fmt.Sprintf("is %q, which is not a mail address; write billing@example.com or \"Name <billing@example.com>\"", e.Detail)
	case configNotBareURL:
		return "must be no more than scheme and host, such as https://api.omise.co; keys don't belong there"
	case configPlainAPI:
		return fmt.Sprintf("is %q; keys are sent by https only, or by http to this machine", e.Detail)
	case configNotLoopback:
		return fmt.Sprintf("is %q; it can be host and port of this machine only, such as 127.0.0.1:9464, or empty for none", e.Detail)
	case configNeedsProxy:
		return fmt.Sprintf("is %q; it can be host and port of this machine only, such as 127.0.0.1:9465: have a reverse proxy take webhooks by https and pass them on to it", e.Detail)
	case configPlainWeb:
		return fmt.Sprintf("is %q, which others can reach: set web.tls_cert_file and web.tls_key_file, too, or listen at 127.0.0.1 behind a reverse proxy that speaks https", e.Detail)
	case configBadCertificate:
		return "or web.tls_key_file can't be used: " + e.Detail
	case configNoSecret:
		return fmt.Sprintf("is not set, nor is the variable %s, but %s is: without the webhook secret of the dashboard nothing that comes could be believed", webhookSecretVariable, e.Detail)
	case configBadSecret:
		return fmt.Sprintf("or the variable %s: secret %s is not one; give the webhook secret as the dashboard shows it, in base64, each on a line of its own", webhookSecretVariable, e.Detail)
	case configIncomplete:
		return fmt.Sprintf("is not set, but %s is: one is of no use without the other", e.Detail)
	case configNotBoth:
		return fmt.Sprintf("can't be used together with %s", e.Detail)
	case configBadSigning:
		return "can't be used: " + signingInEnglish(e.Signing)
	case configBadCheckDigit:
		return fmt.Sprintf("is %q, which its check digit (the first one) says has a wrong digit; copy it from the registration notice", e.Detail)
	case configBadLogo:
		switch e.Logo {
		case slip.LogoTooManyBytes:
			return fmt.Sprintf("is %q, which takes more than %d KiB; save it smaller, since every mail carries it", e.Detail, slip.LogoBytes>>10)
		case slip.LogoTooManyPixels:
			return fmt.Sprintf("is %q, which is larger than %d pixels along a side; save it smaller", e.Detail, slip.LogoSide)
		}
		return fmt.Sprintf("is %q, which can't be read as a picture; give a PNG or JPEG file", e.Detail)
	case configNeedsWholeSheet:
		return "must be 1 with slip.address_window = true: a sheet that is folded for the window holds one slip"
	case configNeedsMail:
		return "is set, but smtp.mode is \"off\": there is nothing to send it with"
	case configPlainMail:
		return fmt.Sprintf("is \"none\", but %s is not this machine: passwords and names would travel in the open; use starttls or implicit", e.Detail)
	}
	return e.Detail
}

func (e *configError) japanese() string {
	switch e.Code {
	case configUnreadable:
		return "を TOML として読み取れません：" + e.Detail
	case configUnknownKey:
		if e.Detail == "" {
			return "という設定はありません。設定の一覧は konbill config で表示できます"
		}
		return "という設定はありません。もしかして：" + e.Detail
	case configUnknownColumn:
		return "という列はありません。指定できる列は invoice_no、name、email、phone、amount、due、description、language、tax_rate、tax です"
	case configWrongType:
		return fmt.Sprintf("が「%s」になっています。%sで指定してください", e.Detail, map[string]string{
			typeText: `引用符で囲んだ文字列`, typeTexts: `["請求No", "Invoice ID"] のような一覧`, typeInteger: "整数",
			typeNumber: "数値", typeDuration: `"60s" や "2m" のような時間`,
			typeTruth: " true か false ",
		}[e.Wanted])
	case configNotOneOf:
		return fmt.Sprintf("が「%s」になっています。%s の形で指定してください", e.Detail, e.Wanted)
	case configOutOfBounds:
		return fmt.Sprintf("が %s になっています。指定できる範囲は %s です", e.Detail, e.Wanted)
	case configMissing:
		return "が設定されていません。実行には必要です"
	case configNotAddress:
		return fmt.Sprintf("の「%s」はメールアドレスではありません。billing@example.com または \"店名 <billing@example.com>\" の形で指定してください", e.Detail)
	case configNotBareURL:
		return "には https://api.omise.co のように、接続先だけを指定してください（鍵は書かないでください）"
	case configPlainAPI:
		return fmt.Sprintf("が「%s」になっています。鍵を守るため、https（この PC 宛てに限り http）で指定してください", e.Detail)
	case configNotLoopback:
		return fmt.Sprintf("が「%s」になっています。127.0.0.1:9464 のように、この PC のアドレスとポートを指定してください（空にすると使いません）", e.Detail)
	case configNeedsProxy:
		return fmt.Sprintf("が「%s」になっています。127.0.0.1:9465 のように、この PC のアドレスとポートを指定してください。外部からの通知は、HTTPS に対応したリバースプロキシで受けて転送してください", e.Detail)
	case configPlainWeb:
		return fmt.Sprintf("が「%s」になっています。ほかの PC からも開けるアドレスには、web.tls_cert_file と web.tls_key_file も設定してください（または 127.0.0.1 にして、HTTPS に対応したリバースプロキシから転送してください）", e.Detail)
	case configBadCertificate:
		return "または web.tls_key_file を使えません：" + e.Detail
	case configNoSecret:
		return fmt.Sprintf("も環境変数 %s も設定されていませんが、%s が設定されています。届いた通知が本物か確かめるため、管理画面の Webhook シークレットが必要です", webhookSecretVariable, e.Detail)
	case configBadSecret:
		return fmt.Sprintf("または環境変数 %s の %s 番目が Webhook シークレットではありません。管理画面に表示されるとおり（base64）に、1 行に 1 つずつ指定してください", webhookSecretVariable, e.Detail)
	case configIncomplete:
		return fmt.Sprintf("が設定されていません。%s とあわせて設定してください", e.Detail)
	case configNotBoth:
		return fmt.Sprintf("は %s と同時には使えません", e.Detail)
	case configBadSigning:
		return signingInJapanese(e.Signing)
	case configBadCheckDigit:
		return fmt.Sprintf("の「%s」は、検査用数字（先頭の数字）が一致しません。どこかの数字が誤っています。登録通知書のとおりに指定してください", e.Detail)
	case configBadLogo:
		switch e.Logo {
		case slip.LogoTooManyBytes:
			return fmt.Sprintf("の「%s」は %d KB を超えています。メールごとに添付されるため、小さくして保存してください", e.Detail, slip.LogoBytes>>10)
		case slip.LogoTooManyPixels:
			return fmt.Sprintf("の「%s」は縦または横が %d ピクセルを超えています。小さくして保存してください", e.Detail, slip.LogoSide)
		}
		return fmt.Sprintf("の「%s」を画像として読み取れません。PNG か JPEG のファイルを指定してください", e.Detail)
	case configNeedsWholeSheet:
		return "は、slip.address_window = true のときは 1 にしてください。窓付き封筒用に折る用紙には、1 件しか印刷できません"
	case configNeedsMail:
		return "が設定されていますが、smtp.mode が off のため送信できません"
	case configPlainMail:
		return fmt.Sprintf("が none ですが、%s はこの PC ではありません。パスワードや氏名が暗号化されずに流れるため、starttls か implicit にしてください", e.Detail)
	}
	return e.Detail
}
