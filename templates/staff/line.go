package staff

import (
	"reflect"
	"strings"
	"time"
	"unicode"
)

// longestLine bounds what one value may take of a text, in characters. The
// longest message of a row stays well below it.
const longestLine = 1000

// oneLine makes a line of a value from outside: no line breaks, no controls, no
// marks that hide or turn around what stands behind them.
func oneLine(text string) string {
	visible := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	line := strings.Join(strings.Fields(visible), " ") // U+2028 and U+2029 are spaces, too
	if runes := []rune(line); len(runes) > longestLine {
		return string(runes[:longestLine]) + "…"
	}
	return line
}

// inLines returns a copy of the data of a text in which every string is one
// line, wherever it stands: a field that is added later can't be forgotten.
func inLines(data any) any {
	return copyInLines(reflect.ValueOf(data)).Interface()
}

func copyInLines(from reflect.Value) reflect.Value {
	to := reflect.New(from.Type()).Elem()
	to.Set(from)
	switch from.Kind() {
	case reflect.String:
		to.SetString(oneLine(from.String()))
	case reflect.Struct:
		if from.Type() == reflect.TypeFor[time.Time]() {
			return to
		}
		for i := range from.NumField() {
			to.Field(i).Set(copyInLines(from.Field(i)))
		}
	case reflect.Slice:
		if from.IsNil() {
			return to
		}
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			to.Index(i).Set(copyInLines(from.Index(i)))
		}
	case reflect.Pointer:
		if from.IsNil() {
			return to
		}
		to.Set(reflect.New(from.Type().Elem()))
		to.Elem().Set(copyInLines(from.Elem()))
	}
	return to
}
