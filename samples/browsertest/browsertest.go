// Package browsertest opens pages in a real browser, as a person does: Chromium, with the
// project's own fonts, so that pages look alike on every machine.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"konbill/samples/peertest"
)

// Tab is one of a browser that shows pages of one site.
type Tab struct {
	context.Context
	t    testing.TB
	site string
}

// longest is how long a test may use a tab.
const longest = 4 * time.Minute

// fonts is where those of the project are, from a package two folders below its top.
const fonts = "../../templates/fonts"

// Open starts a browser that is as quiet as it can be made. Without one the test is
// skipped by name, or fails where peers are required.
func Open(t testing.TB, site string) Tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(peertest.Path(t, "chromium")), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Env("FONTCONFIG_FILE="+fontsOnly(t)), chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-device-scale-factor", "1"),
		chromedp.Flag("lang", "en-US"), // of its own words, such as a file field's
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
	)
	ctx, cancelBrowser := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancelBrowser)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := Tab{ctx, t, site}
	b.Do() // the browser lives as long as the context of the first action
	ctx, cancel := context.WithTimeout(ctx, longest)
	t.Cleanup(cancel)
	return Tab{ctx, t, site}
}

// fontsOnly is a configuration by which a program finds the project's fonts and no others.
func fontsOnly(t testing.TB) string {
	t.Helper()
	folder, err := filepath.Abs(fonts)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "fonts.conf")
	text := fmt.Sprintf("<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">\n<fontconfig><dir>%s</dir><cachedir>%s</cachedir></fontconfig>\n", folder, t.TempDir())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

// Do does what a person does.
func (b Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// Open goes to a page of the site.
func (b Tab) Open(path string) { b.t.Helper(); b.Do(chromedp.Navigate(b.site + path)) }

// Press presses a button, waits for the page that it leads to, and reads that.
func (b Tab) Press(button string) string {
	b.t.Helper()
	return b.Leads(chromedp.Click(chromedp.CSS(button)))
}

// Leads does what leads to another page, waits for that, and reads it.
func (b Tab) Leads(action chromedp.Action[chromedp.Void]) string {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b, action); err != nil {
		b.t.Fatal(err)
	}
	return b.Text()
}

// Type types into a field.
func (b Tab) Type(field, text string) {
	b.t.Helper()
	b.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%q).value = ''", field)), chromedp.SendKeys(chromedp.CSS(field), text))
}

// Text is what the page says.
func (b Tab) Text() string {
	b.t.Helper()
	return Told(b, chromedp.Evaluate[string]("document.body.innerText"))
}

// Told is what the browser answers.
func Told[T any](b Tab, a chromedp.Action[T]) T {
	b.t.Helper()
	answer, err := chromedp.Run(b, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

// See has a page shown at a width and in a colour scheme, light or dark.
func (b Tab) See(width int64, scheme string) {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(width, 900))
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

// violationsOfAxe has axe look at the page.
const violationsOfAxe = `axe.run(document, {resultTypes: ["violations"]}).then(
	r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, at: v.nodes.map(n => n.html)}))))`

// looks are how people see a page.
var looks = []struct {
	width  int64
	scheme string
}{{1280, "light"}, {1280, "dark"}, {390, "light"}, {390, "dark"}}

// WantUsable wants the page that is shown to be usable by everybody: nothing that axe (its
// script's text) calls serious or critical, and nothing cut off at the side, at any width
// and in the dark.
func (b Tab) WantUsable(name, axe string) {
	b.t.Helper()
	for _, look := range looks {
		b.See(look.width, look.scheme)
		b.Do(chromedp.Evaluate[chromedp.Void](axe))
		found := Told(b, chromedp.Evaluate[string](violationsOfAxe, chromedp.EvalAwaitPromise))
		width := Told(b, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
		var violations []struct {
			ID, Impact string
			At         []string
		}
		if err := json.Unmarshal([]byte(found), &violations); err != nil {
			b.t.Fatal(err)
		}
		for _, v := range violations {
			if v.Impact == "serious" || v.Impact == "critical" {
				b.t.Errorf("%s, %d wide, %s: %s (%s) at %q", name, look.width, look.scheme, v.ID, v.Impact, v.At)
			}
		}
		if width > look.width {
			b.t.Errorf("%s, %d wide: the page takes %v", name, look.width, width)
		}
	}
}
