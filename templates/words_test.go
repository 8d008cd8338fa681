package templates

import (
	"strings"
	"testing"

	"konbill/invoice"
)

// Whatever a wording file holds, it is either told to be broken, or writes every
// fact of the bill.
func FuzzWording(f *testing.F) {
	for _, text := range []string{
		"", "[mail]\nsteps = [\"a\"]", "[shared]\nperson = \"{name}{name}\"", "[shared]\nuntil = '{hour}\\n{day}'", "shared = 1", "[[shared]]", "[shared.mail]\nx = 1",
		"[mail]\n\"lead\" = \"\\u0000\"", "[shared]\nhow_to_pay = [\"{\"]", "mail.lead = \"{merchant}\"",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set := new(Set)
		overriding := map[string]source{"ja.toml": {"ja.toml", text}}
		if faults := set.read(overriding, nil); len(faults) > 0 {
			for _, fault := range faults {
				if !strings.HasPrefix(fault.Message(invoice.Japanese), "ja.toml") || fault.Line < 0 || fault.Line > strings.Count(text, "\n")+1 {
					t.Errorf("%q: %+v", text, fault)
				}
			}
			return
		}
		i := bill(invoice.Japanese)
		i.Texts = set
		for written, facts := range map[string][]string{
			i.Addressee():     {"山田 太郎"},
			i.Deadline():      {"2026年12月31日（木）", "24:00"},
			i.Tax():           {"10", "1,122円"},
			attachmentName(i): {"INV-1", ".pdf"},
		} {
			for _, fact := range facts {
				if !strings.Contains(written, fact) {
					t.Errorf("%q: no %s in %q", text, fact, written)
				}
			}
		}
		if len(i.Steps()) == 0 || strings.ContainsAny(attachmentName(i), "/\\\n") {
			t.Errorf("%q: steps %q, attachment %q", text, i.Steps(), attachmentName(i))
		}
	})
}
