package inbox

import (
	"path/filepath"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// leftAlone reports the names that aren't a finished file: what programs keep
// for themselves, and files that are still on their way.
func leftAlone(name string) bool {
	name = fold(name)
	for _, prefix := range []string{".", "~$"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	for _, suffix := range []string{".part", ".partial", ".filepart", ".crdownload", ".tmp"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return name == "desktop.ini" || name == "thumbs.db"
}

// isTotal reports the name of a control total.
func isTotal(name string) bool {
	name = fold(name)
	return strings.HasSuffix(name, ".total") || strings.HasSuffix(name, ".total.txt")
}

// totalNames are the names, folded, that the control total of a file may have:
// with the file's whole name, or without its extension. Editors like to add
// .txt, so both may have it.
func totalNames(name string) []string {
	var names []string
	for _, start := range []string{name, stem(name)} {
		names = append(names, fold(start+".total"), fold(start+".total.txt"))
	}
	return names
}

// lockNames are the names, folded, of what a spreadsheet leaves beside a file
// while somebody has it open: Excel, LibreOffice, WPS Office.
func lockNames(name string) []string {
	return []string{fold("~$" + name), fold(".~lock." + name + "#"), fold(".~" + name)}
}

// stem is a name without its extension.
func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// fold makes names equal that people take for the same: some systems ignore
// case, and macOS writes ガ as two characters.
func fold(name string) string { return strings.ToLower(norm.NFC.String(name)) }
