package omisetest_test

import (
	"net/url"
	"testing"
	"time"

	"konbill/batch/omise/omisetest"
)

// total is how many charges a list or a search has.
func (p practice) total(path string) float64 {
	p.Helper()
	return p.get(secretKey, path).object["total"].(float64)
}

// TestListsLag: a charge is there at once under its own id, and later in lists
// and searches.
func TestListsLag(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	p.SetListLag(10 * time.Second)
	id := p.post(secretKey, "/charges", form("description", "A-1")).object["id"].(string)
	if a := p.get(secretKey, "/charges/"+id); a.status != 200 {
		t.Errorf("by its id: %d", a.status)
	}
	for _, c := range []struct{ after, want int }{{9, 0}, {10, 1}} {
		p.clock.set(sampleTime.Add(time.Duration(c.after) * time.Second))
		for _, path := range []string{"/charges", "/charges?order=reverse_chronological", "/search?scope=charge&query=A-1"} {
			if n := p.total(path); n != float64(c.want) {
				t.Errorf("%s after %d seconds: %v", path, c.after, n)
			}
		}
	}
	p.clock.set(sampleTime)
	p.SetListLag(0)
	if n := p.total("/charges"); n != 1 {
		t.Errorf("without a lag: %v", n)
	}
}

// TestSourcesLag: a charged source looks unused for a while, and a second charge
// doesn't make it so again.
func TestSourcesLag(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	p.SetSourceLag(10 * time.Second)
	source := p.post(publicKey, "/sources", sourceForm()).object["id"].(string)
	status := func(after time.Duration) any {
		p.clock.set(sampleTime.Add(after))
		return p.get(publicKey, "/sources/"+source).object["charge_status"]
	}
	charge := url.Values{"amount": {"300"}, "currency": {"JPY"}, "source": {source}}
	made := p.post(secretKey, "/charges", charge)
	if shown := made.object["source"].(map[string]any)["charge_status"]; shown != "pending" {
		t.Errorf("in the charge itself: %v", shown)
	}
	if early, then := status(9*time.Second), status(10*time.Second); early != "unknown" || then != "pending" {
		t.Errorf("%v, then %v", early, then)
	}
	p.post(secretKey, "/charges", charge)
	if again := status(11 * time.Second); again != "pending" {
		t.Errorf("charged again: %v", again)
	}
}

// TestFromIsInclusive: a list from the very second of a charge has it.
func TestFromIsInclusive(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	p.clock.set(sampleTime.Add(999 * time.Millisecond))
	p.post(secretKey, "/charges", form())
	for from, want := range map[string]float64{"2023-11-16T15:04:47Z": 1, "2023-11-16T15:04:48Z": 0} {
		if n := p.total("/charges?from=" + from); n != want {
			t.Errorf("from %s: %v", from, n)
		}
	}
}
