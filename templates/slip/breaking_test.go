package slip

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// lettersOf sets a text for a test of breaking.
func lettersOf(t testing.TB, text string) []letter {
	t.Helper()
	c, err := newTypecase()
	if err != nil {
		t.Fatal(err)
	}
	return c.set(text, plain)
}

func charsOf(letters []letter) string {
	var out strings.Builder
	for _, l := range letters {
		out.WriteRune(l.char)
	}
	return out.String()
}

func TestBreakLines(t *testing.T) {
	for _, test := range []struct {
		why, text string
		ems       int
		want      []string
	}{
		{"fits", "請求書", 3, []string{"請求書"}},
		{"between any two kanji", "請求書番号", 3, []string{"請求書", "番号"}},
		{"no full stop at a line's start", "領収済み。次", 4, []string{"領収済", "み。次"}},
		{"no small kana at a line's start", "東京都キャリア", 4, []string{"東京都", "キャリア"}},
		{"no bracket at a line's end", "受講料「教材」", 4, []string{"受講料", "「教材」"}},
		{"behind a phrase rather than inside a word", "案内に記載の番号を入力", 10, []string{"案内に記載の番号を", "入力"}},
		{"no い。 alone on the last line", "画面の手順に従ってお進みください。", 15, []string{"画面の手順に", "従ってお進みください。"}},
		{"Latin words whole", "Calligraphy course", 8, []string{"Calligraphy ", "course"}},
		{"numbers whole", "合計額12,345円", 5, []string{"合計額", "12,345円"}},
		{"a link behind its slashes", "https://pay.omise.co/offlines", 12, []string{"https://pay.omise.co/", "offlines"}},
		{"a word too long where it must", strings.Repeat("W", 9), 4, nil},
		{"only stops", "。。。。。", 1, nil},
		{"a space hangs over", "請求 書", 2, []string{"請求 ", "書"}},
	} {
		var got []string
		for _, line := range breakLines(lettersOf(t, test.text), test.ems*1000) {
			got = append(got, charsOf(line))
		}
		if test.want != nil && !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.why, got, test.want)
		}
		if strings.Join(got, "") != test.text {
			t.Errorf("%s: %q lost something of %q", test.why, got, test.text)
		}
	}
}

// FuzzBreakLines: the lines are the text, none is wider than asked for, and
// none breaks a rule where another break was to be had.
func FuzzBreakLines(f *testing.F) {
	f.Add("お支払い番号と電話番号の入力を求められたときは、この案内に記載の番号を入力してください。", 9000)
	f.Add("「セブン-イレブン」では（お支払い）いただけません。", 3100)
	f.Add("https://pay.omise.co/offlines/econtext/instructions/oflp_test_5xsjw8t8y9jw9si8652", 4000)
	f.Add("Online course (November) — 12,345円・ﾔﾏﾀﾞ 𠮷田々々ーー！！", 2500)
	f.Add("。。。「「「　　 」」」", 1000)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if len(text) > 2000 || limit < 0 || limit > 200_000 {
			return
		}
		letters := lettersOf(t, text)
		lines := breakLines(letters, limit)
		if got := charsOf(slices.Concat(lines...)); got != charsOf(letters) {
			t.Fatalf("the lines are %q, the text is %q", got, charsOf(letters))
		}
		for i, line := range lines {
			if over := advance(withoutHanging(line)) - limit; over > 0 && len(withoutHanging(line)) > 1 {
				t.Errorf("%q is %d wider than %d", charsOf(line), over, limit)
			}
			if i > 0 {
				checkKinsoku(t, lines[i-1], line)
			}
		}
	})
}

// TestNoCharacterIsLost wraps random texts in random widths.
func TestNoCharacterIsLost(t *testing.T) {
	const texts, seed = 300, 20200701
	alphabet := []rune("日本語請求書髙橋𠮷﨑ひらがなカタカナーっゃ、。，」「（）・々〻！？ ABCabc019/-_.:@　①㈱～É")
	random := rand.New(rand.NewPCG(seed, seed))
	for range texts {
		text := make([]rune, random.IntN(200))
		for i := range text {
			text[i] = alphabet[random.IntN(len(alphabet))]
		}
		limit := random.IntN(60_000)
		letters := lettersOf(t, string(text))
		if got := charsOf(slices.Concat(breakLines(letters, limit)...)); got != string(text) {
			t.Errorf("%q in lines of %d is %q", string(text), limit, got)
		}
	}
}

func checkKinsoku(t *testing.T, upper, lower []letter) {
	t.Helper()
	before, after := upper[len(upper)-1].char, lower[0].char
	if !strings.ContainsRune(neverFirst, after) && !strings.ContainsRune(neverLast, before) {
		return
	}
	for n := 1; n < len(upper); n++ {
		if mayBreak(upper[n-1].char, upper[n].char) {
			t.Errorf("%q ends and %q begins a line, though %q could break before %q",
				before, after, charsOf(upper), upper[n].char)
			return
		}
	}
}

func withoutHanging(line []letter) []letter {
	for len(line) > 0 && unicode.IsSpace(line[len(line)-1].char) {
		line = line[:len(line)-1]
	}
	return line
}
