// Package fonts holds the typefaces of the slip, looks characters up in them
// and cuts them to the characters of one document.
//
// BIZ UDPGothic sets the text: a typeface drawn to be read without effort, with
// the kanji of Japanese business. Noto Sans JP stands in for the rarer kanji
// that it lacks. Both are under the SIL Open Font License, whose text is
// embedded beside them.
package fonts

import (
	"embed"
	"sync"
)

//go:embed *.ttf OFL-*.txt
var files embed.FS

// The faces are read once, when first asked for; every caller shares them.
var (
	Regular  = sync.OnceValues(func() (*Face, error) { return read("BIZUDPGothic-Regular", "BIZUDPGothic_400Regular.ttf") })
	Bold     = sync.OnceValues(func() (*Face, error) { return read("BIZUDPGothic-Bold", "BIZUDPGothic_700Bold.ttf") })
	Fallback = sync.OnceValues(func() (*Face, error) { return read("NotoSansJP-Regular", "NotoSansJP_400Regular.ttf") })
)

func read(name, file string) (*Face, error) {
	data, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parse(name, data)
}
