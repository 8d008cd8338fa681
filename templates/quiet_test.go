package templates

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"konbill/invoice"
)

// quiet are the elements of our mails, with their attributes. Nothing among
// them acts, and only a picture from within the mail is shown.
var quiet = map[string][]string{
	"html": {"lang"}, "head": nil, "meta": {"charset", "name", "content"}, "title": nil, "style": nil, "body": {"class", "style"},
	"div": {"class", "style"}, "p": {"class", "style"}, "span": {"class", "style"}, "b": {"style"}, "br": nil,
	"h2": {"style"}, "ol": {"style"}, "li": nil,
	"a": {"class", "href", "style"}, "img": {"src", "alt", "width", "height", "style"},
}

var (
	address   = regexp.MustCompile(`https?://[^\s"<]*`)
	anchor    = regexp.MustCompile(`<a\s[^>]*href="([^"]*)"[^>]*>([^<]*)</a>`)
	tag       = regexp.MustCompile(`<[^>]*>`)
	attribute = regexp.MustCompile(`\s([a-z-]+)="([^"]*)"`)
	ownStyle  = regexp.MustCompile(`(?s)<style>(.*)</style>`)
	ownColour = regexp.MustCompile(`(?:^|[^-])(?:background(?:-color)?|color)\s*:`)
)

// strangeTag finds an element or an attribute that doesn't belong to our mails,
// such as one that a field has smuggled in: what is escaped has no < before it.
func strangeTag(html string) string {
	for _, found := range tag.FindAllString(strings.TrimPrefix(html, "<!doctype html>"), -1) {
		name, _, _ := strings.Cut(strings.Trim(found, "</>"), " ")
		attributes, known := quiet[name]
		left := attribute.ReplaceAllString(found, "")
		if !known || left != "<"+name+">" && left != "</"+name+">" {
			return found
		}
		for _, a := range attribute.FindAllStringSubmatch(found, -1) {
			switch {
			case !slices.Contains(attributes, a[1]),
				a[1] == "src" && !strings.HasPrefix(a[2], "cid:"),
				a[1] == "style" && (strings.Contains(a[2], "url(") || ownColour.MatchString(a[2])):
				return found
			}
		}
	}
	return ""
}

func TestStrangeTagsAreSeen(t *testing.T) {
	for _, strange := range []string{
		`<script>`, `<img src="https://example.com/x">`, `<p onclick="x">`, `<p style="background:url(x)">`, `<p style="color:#000">`,
		`<b data-x=1>`, `<link rel="stylesheet">`, `<form>`, `<a href="x" ping="y">`,
	} {
		if strangeTag("<!doctype html><p>"+strange+"</p>") != strange {
			t.Errorf("%s passes", strange)
		}
	}
}

func TestHTMLIsQuiet(t *testing.T) {
	for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
		i := bill(language)
		m := mailOf(t, i)
		links := anchor.FindAllStringSubmatch(m.HTML, -1)
		if len(links) != 1 || strings.Count(m.HTML, "<a") != 1 || links[0][1] != i.AuthorizeURI || links[0][2] != i.AuthorizeURI {
			t.Errorf("%s: links %q", language, links)
		}
		for _, part := range []string{m.Text, m.HTML} {
			for _, found := range address.FindAllString(part, -1) {
				if found != i.AuthorizeURI {
					t.Errorf("%s: another address, %s", language, found)
				}
			}
		}
		for _, html := range []string{m.HTML, receiptOf(t, payment(language)).HTML} {
			if found := strangeTag(html); found != "" {
				t.Errorf("%s: %s in\n%s", language, found, html)
			}
		}
	}
}

// A colour for bright screens alone would be unreadable on a dark one. So all
// colours stand together in one place, and each has its counterpart.
func TestColoursArePaired(t *testing.T) {
	style := ownStyle.FindStringSubmatch(mailOf(t, bill(invoice.Japanese)).HTML)
	bright, dark, split := strings.Cut(style[1], "@media (prefers-color-scheme: dark) {")
	if !split || strings.Contains(style[1], "url(") || strings.Contains(style[1], "@import") {
		t.Fatalf("%s", style[1])
	}
	rule := regexp.MustCompile(`(\.[a-z]+) \{([^}]*)\}`)
	declared := func(text string) map[string]string {
		found := map[string]string{}
		for _, r := range rule.FindAllStringSubmatch(text, -1) {
			found[r[1]] = regexp.MustCompile(`#[0-9a-f]{6}`).ReplaceAllString(r[2], "#")
		}
		return found
	}
	b, d := declared(bright), declared(dark)
	for class, properties := range b {
		if d[class] != properties {
			t.Errorf("%s: %q on bright screens, %q on dark ones", class, properties, d[class])
		}
	}
	if len(b) == 0 || len(b) != len(d) {
		t.Errorf("%d rules for bright screens, %d for dark ones", len(b), len(d))
	}
}
