package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxSize bounds a text: a larger file was put there by mistake.
const maxSize = 256 << 10

// Load reads a merchant's own texts from a folder: each file there overrides
// Konbill's own of the same name, a wording file word by word. Every text is
// then tried on sample bills, so that what is broken is found here and not in
// the middle of a run. missing tells the characters that slips can't print. An
// empty folder name is Konbill's own texts. The error is a *FolderError.
func Load(folder string, missing func(text string) []rune) (*Set, error) {
	if folder == "" {
		return ownSet(), nil
	}
	overriding, faults := readFolder(folder)
	set := new(Set)
	faults = append(faults, set.read(overriding, missing)...)
	unparsed := set.parse(overriding)
	if faults = append(faults, unparsed...); len(unparsed) == 0 {
		faults = append(faults, set.try(pathsOf(overriding))...)
	}
	if len(faults) > 0 {
		return nil, &FolderError{Folder: folder, Faults: faults}
	}
	set.digest = digestOf(overriding)
	return set, nil
}

func digestOf(overriding map[string]source) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(overriding)) {
		fmt.Fprintf(sum, "%s %d %s", name, len(overriding[name].text), overriding[name].text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func readFolder(folder string) (map[string]source, []Fault) {
	if info, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, []Fault{{Path: folder, code: faultNoFolder}}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, []Fault{unreadable(folder, err)}
	}
	overriding := map[string]source{}
	var faults []Fault
	for _, entry := range entries {
		name := entry.Name()
		path := filepath.Join(folder, name)
		switch {
		case leftByOthers(name):
		case !slices.Contains(fileNames, name):
			faults = append(faults, Fault{Path: path, code: faultUnknownFile})
		default:
			from, fault := readSource(path)
			if fault != nil {
				faults = append(faults, *fault)
				continue
			}
			overriding[name] = from
		}
	}
	return overriding, faults
}

// leftByOthers reports files that editors and file managers leave in folders.
func leftByOthers(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") || strings.HasSuffix(name, "~") ||
		strings.EqualFold(name, "Thumbs.db") || strings.EqualFold(name, "desktop.ini")
}

// readSource reads a text as editors on any system save it.
func readSource(path string) (source, *Fault) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxSize {
		return source{}, &Fault{Path: path, code: faultTooLarge}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		fault := unreadable(path, err)
		return source{}, &fault
	}
	text := string(data)
	if line := lineNotUTF8(text); line > 0 {
		return source{}, &Fault{Path: path, Line: line, code: faultNotUTF8}
	}
	return source{path, strings.ReplaceAll(strings.TrimPrefix(text, "\uFEFF"), "\r\n", "\n")}, nil
}

func unreadable(path string, err error) Fault {
	if system := new(fs.PathError); errors.As(err, &system) {
		err = system.Err // the fault tells the path itself
	}
	return Fault{Path: path, code: faultUnreadable, detail: err.Error()}
}

// lineNotUTF8 is the first line that isn't UTF-8, or 0.
func lineNotUTF8(text string) int {
	line := 0
	for one := range strings.Lines(text) {
		line++
		if !utf8.ValidString(one) {
			return line
		}
	}
	return 0
}
