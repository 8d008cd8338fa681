package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"time"

	"konbill/mailer"
)

// lookupPatience is how long the name servers are asked, in all.
const lookupPatience = 10 * time.Second

// examineDomain looks up what receivers know about the sender's domain: which
// servers may send for it (SPF, RFC 7208), with which key mails are signed (DKIM,
// RFC 6376), and what is to become of the others (DMARC, RFC 7489). A name
// server that can't be reached says nothing about the domain: it is a note.
func (a *app) examineDomain(ctx context.Context, c config, signer *mailer.Signer) []examination {
	from, err := mail.ParseAddress(c.SMTP.From)
	if err != nil {
		return nil // the configuration is examined by itself
	}
	ctx, cancel := context.WithTimeout(ctx, lookupPatience)
	defer cancel()
	domain := strings.ToLower(from.Address[strings.LastIndex(from.Address, "@")+1:])
	found := []examination{a.examineSPF(ctx, domain, c.SMTP.Host)}
	if signer != nil || c.SMTP.DKIMDomain == "" { // else its key is no good, which is found by itself
		found = append(found, a.examineDKIM(ctx, signer))
	}
	return append(found, a.examineDMARC(ctx, domain, from.Address))
}

func (a *app) examineSPF(ctx context.Context, domain, host string) examination {
	e := examination{Name: "SPF"}
	records, err := a.lookUpTXT(ctx, domain, "v=spf1")
	switch {
	case err != nil:
		return a.notLookedUp(e, err)
	case len(records) == 1:
		e.OK, e.Detail = true, domain+": "+printable(records[0])
		return e
	case len(records) > 1:
		e.Detail = fmt.Sprintf(a.say("%s に SPF レコードが %d つあり、どれも無効になっています", "%s has %d SPF records, which makes all of them void"), domain, len(records))
		e.Hint = a.say("v=spf1 で始まる TXT レコードを 1 つにまとめてください", "make one of the TXT records that begin with v=spf1")
		return e
	}
	servers := "a:" + host
	if isLoopback(host) {
		servers = "mx"
	}
	e.Detail = fmt.Sprintf(a.say("%s に SPF レコードがありません。メールが迷惑メールとして扱われるおそれがあります", "%s has no SPF record; mails may be taken for spam"), domain)
	e.Hint = a.toPublish(domain, "v=spf1 "+servers+" ~all") +
		a.say("（メールサーバーの提供元が別の値を案内している場合は、その値を使ってください）", " (or what the provider of the mail server says)")
	return e
}

func (a *app) examineDKIM(ctx context.Context, signer *mailer.Signer) examination {
	e := examination{Name: "DKIM"}
	name, record := signer.DKIMRecord()
	if name == "" {
		e.OK, e.Note = true, true
		e.Detail = a.say("Konbill では署名しません（smtp.dkim_domain）。メールサーバーが署名しているか、提供元に確かめてください",
			"Konbill does not sign (smtp.dkim_domain); make sure that the mail server does")
		return e
	}
	records, err := a.lookUpTXT(ctx, name, "")
	switch {
	case err != nil:
		return a.notLookedUp(e, err)
	case len(records) == 0:
		e.Detail = fmt.Sprintf(a.say("%s に公開鍵がありません。署名を確かめられません", "there is no key at %s, so nobody can verify the signature"), name)
	case len(records) > 1:
		e.Detail = fmt.Sprintf(a.say("%s に TXT レコードが %d つあり、どちらが使われるか決まりません", "%s has %d TXT records, and receivers may use either"), name, len(records))
	case !sameKey(records[0], record):
		e.Detail = fmt.Sprintf(a.say("%s の公開鍵が smtp.dkim_key_file の鍵と対になっていません", "the key at %s is not that of smtp.dkim_key_file"), name)
	default:
		e.OK, e.Detail = true, name
		return e
	}
	e.Hint = a.toPublish(name, record)
	return e
}

// sameKey compares the public keys of two DKIM records (RFC 6376 section 3.6.1),
// whose other tags may differ.
func sameKey(one, other string) bool {
	a, b := publishedKey(one), publishedKey(other)
	return a != "" && a == b
}

// publishedKey is the key of a DKIM record as bytes; empty when it has none, or
// was revoked.
func publishedKey(record string) string {
	for _, tag := range strings.Split(record, ";") {
		name, value, _ := strings.Cut(tag, "=")
		if strings.TrimSpace(name) == "p" {
			key, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
			if err != nil {
				return ""
			}
			return string(key)
		}
	}
	return ""
}

// examineDMARC looks for the policy of the domain, or else of one above it.
func (a *app) examineDMARC(ctx context.Context, domain, address string) examination {
	e := examination{Name: "DMARC", OK: true}
	for at := domain; strings.Contains(at, "."); _, at, _ = strings.Cut(at, ".") {
		name := "_dmarc." + at
		records, err := a.lookUpTXT(ctx, name, "v=DMARC1")
		switch {
		case err != nil:
			return a.notLookedUp(e, err)
		case len(records) == 1:
			e.Detail = name + ": " + printable(records[0])
			return e
		case len(records) > 1:
			e.OK = false
			e.Detail = fmt.Sprintf(a.say("%s に DMARC レコードが %d つあり、どれも無効になっています", "%s has %d DMARC records, which makes all of them void"), name, len(records))
			e.Hint = a.say("1 つにまとめてください", "make one of them")
			return e
		}
	}
	e.Note = true
	e.Detail = fmt.Sprintf(a.say("%s に DMARC レコードがありません。なりすましメールを受信側が止められません", "%s has no DMARC record, so receivers can't stop mails that pretend to be yours"), domain)
	e.Hint = a.toPublish("_dmarc."+domain, "v=DMARC1; p=none; rua=mailto:"+address) +
		a.say("（届いた報告で問題がないことを確かめてから、p=quarantine に進めてください）", " (and go on to p=quarantine once the reports show no trouble)")
	return e
}

// lookUpTXT returns the text records of a name that begin with a version, or
// all without one. A name without any is no error.
func (a *app) lookUpTXT(ctx context.Context, name, version string) ([]string, error) {
	resolver := a.resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	all, err := resolver.LookupTXT(ctx, name+".") // the dot: this name, and none in this machine's own domain
	var failed *net.DNSError
	if errors.As(err, &failed) && failed.IsNotFound {
		return nil, nil
	}
	var found []string
	for _, text := range all {
		first, _, _ := strings.Cut(strings.ReplaceAll(text, ";", " "), " ")
		if version == "" || strings.EqualFold(first, version) {
			found = append(found, text)
		}
	}
	return found, err
}

// notLookedUp notes that nothing could be learnt.
func (a *app) notLookedUp(e examination, err error) examination {
	e.OK, e.Note = true, true
	e.Detail = fmt.Sprintf(a.say("調べられませんでした（%v）", "could not be looked up (%v)"), err)
	return e
}

// toPublish is a text record to put into the DNS.
func (a *app) toPublish(name, text string) string {
	return fmt.Sprintf(a.say(`DNS に次の TXT レコードを登録してください： %s. TXT "%s"`, `publish this TXT record in the DNS: %s. TXT "%s"`), name, text)
}
