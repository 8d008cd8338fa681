package invoice

import (
	"strings"
	"testing"
)

// sampleFinding has values that are easy to find in a message.
var sampleFinding = Finding{Line: 12, Before: "BEFORE", After: "AFTER", Ref: "REF"}

func TestEveryCodeHasAMessage(t *testing.T) {
	for code, s := range sentences {
		f := sampleFinding
		f.Code = code
		for lang, sentence := range map[Language]string{Japanese: s.ja, English: s.en} {
			message := f.Message(lang)
			if message == "" || message == string(code) || strings.Contains(message, "%") {
				t.Errorf("%s %s: %q", lang, code, message)
			}
			for verb, value := range map[string]string{"%[1]s": "BEFORE", "%[2]s": "AFTER", "%[3]s": "REF"} {
				if strings.Contains(sentence, verb) != strings.Contains(message, value) {
					t.Errorf("%s %s: %q lost %s", lang, code, message, verb)
				}
			}
			if strings.Count(sentence, "%") != strings.Count(sentence, "%[") {
				t.Errorf("%s %s: %q has a verb without a number", lang, code, sentence)
			}
		}
		// Both languages tell the same facts.
		for _, verb := range []string{"%[1]s", "%[2]s", "%[3]s"} {
			if strings.Contains(s.ja, verb) != strings.Contains(s.en, verb) {
				t.Errorf("%s: only one language has %s", code, verb)
			}
		}
	}
}

// A message that stops a row says what to do, in words that ask for it.
func TestEveryErrorSaysWhatToDo(t *testing.T) {
	errors := []Code{
		CodeTextDamaged, CodeNumberMissing, CodeNumberTooLong, CodeNumberUnprintable, CodeNumberRepeated,
		CodeNumberConflicting, CodeNameMissing, CodeNameUnusable, CodeNameTooLong,
		CodePhoneMissing, CodePhoneInvalid, CodePhoneScientific,
		CodeEmailMissing, CodeEmailInvalid, CodeEmailLength, CodeEmailSeveral,
		CodeAmountMissing, CodeAmountUnreadable, CodeAmountFraction, CodeAmountNegative, CodeAmountTooSmall, CodeAmountTooLarge,
		CodeDueUnreadable, CodeDueInvalid, CodeDueAmbiguous, CodeDueSerial, CodeDuePast, CodeDueTooFar,
		CodeTaxRateInvalid, CodeTaxInvalid, CodeFieldCount, CodeStrayQuote, CodeFieldTooLong, CodeConflict,
	}
	for _, code := range errors {
		ja := Finding{Code: code}.Message(Japanese)
		if !strings.Contains(ja, "ください") {
			t.Errorf("%s: %s", code, ja)
		}
		en := " " + strings.ToLower(Finding{Code: code}.Message(English))
		asks := false
		for _, verb := range []string{"enter", "use ", "write", "check", "correct", "remove", "delete", "keep", "put", "look",
			"shorten", "save", "join", "set ", "give", "split", "last day possible"} {
			asks = asks || strings.Contains(en, verb)
		}
		if !asks {
			t.Errorf("%s: %s", code, en)
		}
	}
}

func TestTextNamesThePlace(t *testing.T) {
	f := Finding{Line: 12, Field: FieldAmount, Code: CodeAmountFraction, Before: "3000.5"}.At("請求金額", 28)
	for lang, want := range map[Language]string{
		Japanese: "12行目［AB 請求金額］金額「3000.5」に円未満の端数があります。",
		English:  `line 12 [AB 請求金額] The amount "3000.5" has a fraction of a yen.`,
	} {
		if got := f.Text(lang); !strings.HasPrefix(got, want) {
			t.Errorf("%s", got)
		}
	}
	row := Finding{Line: 3, Code: CodeFieldCount, Ref: "4 / 5"}
	for lang, want := range map[Language]string{Japanese: "3行目：列の数が", English: "line 3: The number"} {
		if got := row.Text(lang); !strings.HasPrefix(got, want) || !strings.Contains(got, "4 / 5") {
			t.Errorf("%s", got)
		}
	}
}

// Values go into messages as they stand: neither a percent sign nor a
// placeholder in one is understood, and a long one is shortened.
func TestMessagesQuoteStrangeValues(t *testing.T) {
	for _, value := range []string{"%d %s %!", "${name}", `"quoted"`} {
		f := Finding{Code: CodeAmountUnreadable, Before: value}
		if got := f.Message(Japanese); !strings.Contains(got, "「"+value+"」") {
			t.Error(got)
		}
	}
	long := Finding{Code: CodeAmountUnreadable, Before: strings.Repeat("9", 70000)}.Message(English)
	if len(long) > 200 || !strings.Contains(long, "9…") {
		t.Errorf("%d bytes", len(long))
	}
}

func TestColumnLetter(t *testing.T) {
	for position, want := range map[int]string{1: "A", 26: "Z", 27: "AA", 52: "AZ", 53: "BA", 702: "ZZ", 703: "AAA"} {
		if got := ColumnLetter(position); got != want {
			t.Errorf("%d: %s, want %s", position, got, want)
		}
	}
}
