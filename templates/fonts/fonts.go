// Package fonts holds the typefaces of the slip, looks characters up in them
// and cuts them to the characters of one document.
//
// BIZ UDPGothic sets the text: a typeface drawn to be read without effort, with
// the kanji of Japanese business. Noto Sans JP stands in for the rarer kanji
// that it lacks. Both are under the SIL Open Font License, whose text is
// embedded beside them. The program slim has taken out of the files what no slip
// uses; what is left of them is as it was.
package fonts

import (
	"embed"
	"sync"
)

//go:embed OFL-*.txt
var files embed.FS

// The files as they lie in the program, to be read only: copies of them would
// be most of the memory that checking a file takes.
var (
	//go:embed BIZUDPGothic_400Regular.ttf
	regular []byte
	//go:embed BIZUDPGothic_700Bold.ttf
	bold []byte
	//go:embed NotoSansJP_400Regular.ttf
	fallback []byte
)

// The faces are parsed once, when first asked for; every caller shares them.
var (
	Regular  = sync.OnceValues(func() (*Face, error) { return parse("BIZUDPGothic-Regular", regular) })
	Bold     = sync.OnceValues(func() (*Face, error) { return parse("BIZUDPGothic-Bold", bold) })
	Fallback = sync.OnceValues(func() (*Face, error) { return parse("NotoSansJP-Regular", fallback) })
)
