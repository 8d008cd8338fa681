package slip

import (
	"sync"

	"konbill/invoice"
	"konbill/templates"
)

// kit is what the slips of a merchant in one language share: the characters of
// their wording and of the merchant, and those that numbers and links are made
// of. It depends on nothing else of a batch, so that the same facts give the same
// file in any.
type kit struct{ works fontWorks }

// kitFor tells kits apart.
type kitFor struct {
	merchant templates.Merchant
	language invoice.Language
	texts    *templates.Set
}

// mostKits are kept. A batch needs one a language.
const mostKits = 8

// kits are made when first asked for.
type kits struct {
	mu   sync.Mutex
	made map[kitFor]*kit
}

func (k *kits) of(letters *typecase, facts templates.Instructions) (*kit, error) {
	key := kitFor{facts.Merchant, languageOf(facts), facts.Texts}
	k.mu.Lock()
	defer k.mu.Unlock()
	if made := k.made[key]; made != nil {
		return made, nil
	}
	made, err := newKit(letters, key)
	if err != nil {
		return nil, err
	}
	if k.made == nil || len(k.made) == mostKits {
		k.made = map[kitFor]*kit{}
	}
	k.made[key] = made
	return made, nil
}

func newKit(letters *typecase, key kitFor) (*kit, error) {
	blank, err := compose(letters, Layout{}, templates.Instructions{
		Texts: key.texts, Merchant: key.merchant, Invoice: invoice.Invoice{Language: key.language}, PaymentCode: "0",
	})
	if err != nil {
		return nil, err
	}
	blank.lines = append(blank.lines,
		line{letters: letters.set(inLinks, plain)}, line{letters: letters.set(inFigures, bold)})
	k := &kit{fontWorks(nil).with(blank)}
	for _, f := range k.works {
		f.share()
	}
	return k, nil
}

// What links and numbers are made of.
const (
	inLinks   = "/:._?=&-0123456789abcdefghijklmnopqrstuvwxyz"
	inFigures = "-,0123456789"
)

// extended begins the fonts of one slip.
func (k *kit) extended() fontWorks {
	works := make(fontWorks, len(k.works))
	for i, f := range k.works {
		works[i] = f.extended()
	}
	return works
}
