package slip

import (
	"slices"
	"testing"
)

func TestMissing(t *testing.T) {
	for _, test := range []struct {
		text string
		want []rune
	}{
		{"髙橋 﨑 神 濵田 邉 É ① ㈱ ～ 〜 − ¥ ￥ ﾔﾏﾀﾞ", nil},
		{"𠮷野家の𩸽", nil},
		{"感謝😀をこめて🎉😀", []rune("😀🎉")},
		{"한국", []rune("한국")},
		{"\uE000", []rune("\uE000")},          // a character of one machine only
		{"a\xffb", []rune("\uFFFD")},          // bytes that were lost
		{"葛\U000E0100城\u200B\u202E\x00", nil}, // no shape of their own
		{"か\u3099き e\u0301", nil},
	} {
		if got := Missing(test.text); !slices.Equal(got, test.want) {
			t.Errorf("Missing(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"神﨑 \uFA19", "神﨑 \uFA19"}, // never another kanji
		{"か\u3099ハ\u309A e\u0301", "がパ é"},
		{"葛\uFE00葛\U000E0100", "葛葛"},
		{"a\tb\r\nc\x07\u200Bd", "a b  cd"},
		{"ﾀﾞ㈱Ⅲ①", "ﾀﾞ㈱Ⅲ①"},
	} {
		if got := string(printable(test.text)); got != test.want {
			t.Errorf("printable(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestMissingPrintsGeta(t *testing.T) {
	if got, want := charsOf(lettersOf(t, "茶😀\uE000話")), "茶〓〓話"; got != want {
		t.Errorf("set as %q, want %q", got, want)
	}
}
