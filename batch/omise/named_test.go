package omise

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// FuzzNamedCharge: whatever came, an id that is named stands in the answer, has
// the form of one, and is the one that a whole reading finds.
func FuzzNamedCharge(f *testing.F) {
	for _, seed := range []string{
		`{"object":"charge","id":"chrg_test_5abc","livemode":fal`,
		`{"id":"chrg_5abc","object":"charge"}`,
		`{"source":{"id":"src_1","object":"source"},"id":"chrg_test_1","object":"charge"`,
		`{"source":{"object":"charge","id":"chrg_test_1"`,
		`{"object":"charge","id":"chrg_test_5ab`,
		`{"object":"charge","id":"chrg_test_A\n"}`,
		`{"object":"charge","id":7,"id":"chrg_test_1"}`,
		`[{"object":"charge","id":"chrg_test_1"}]`,
		`{"object":"error","id":"chrg_test_1"}`,
		`{"object":`, `{`, ``, "\x00",
	} {
		f.Add(seed)
	}
	wellFormed := regexp.MustCompile(`^chrg_[0-9a-z_]{1,64}$`)
	f.Fuzz(func(t *testing.T, body string) {
		id := answer{status: 200, body: []byte(body)}.namedCharge()
		if id == "" {
			return
		}
		if !wellFormed.MatchString(id) {
			t.Errorf("named %q in %q", id, body)
		}
		var whole struct{ Object, ID any }
		if json.Unmarshal([]byte(body), &whole) == nil && strings.Count(strings.ToLower(body), `"id"`) == 1 && whole.ID != id {
			t.Errorf("named %q, the whole answer says %v", id, whole.ID)
		}
		if other := (answer{status: 500, body: []byte(body)}).namedCharge(); other != "" {
			t.Errorf("with status 500 it names %q", other)
		}
	})
}

func TestNamedCharge(t *testing.T) {
	for body, want := range map[string]string{
		`{"object":"charge","id":"chrg_test_5abc","livemode":fal`:                         "chrg_test_5abc",
		`{"id":"chrg_5abc","object":"charge"}`:                                            "chrg_5abc",
		`{"source":{"id":"src_1","object":"source"},"id":"chrg_test_1","object":"charge"`: "chrg_test_1",
		`{"source":{"object":"charge","id":"chrg_test_1"`:                                 "", // not the answer's own
		`{"object":"charge","id":"chrg_test_5ab`:                                          "", // perhaps cut
		`{"object":"charge","id":"chrg_test_A\n"}`:                                        "",
		`[{"object":"charge","id":"chrg_test_1"}]`:                                        "",
		`{"object":"error","id":"chrg_test_1"}`:                                           "",
		`{"object":"charge","id":"src_test_1"}`:                                           "",
		`{"object":"charge","status":"pending"`:                                           "",
	} {
		if got := (answer{status: 200, body: []byte(body)}).namedCharge(); got != want {
			t.Errorf("%s: %q", body, got)
		}
	}
}
