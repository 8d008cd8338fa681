package inbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"konbill/invoice"
)

// Systems take names of 255 bytes.
const (
	maxStem = 150 // bytes of a file's name in its ID, which gets a date, a count and an extension
	maxName = 200 // bytes of a file's name while it is processed, which the run makes others of
)

// newID is the ID of a file that is claimed now, if no other has it.
func newID(name string, now time.Time) string {
	return now.In(invoice.Japan).Format("2006-01-02-") + safeStem(name)
}

// safeStem is a file's name without extension, as every system can write it. It
// stays as it is except for what some can't: the date in front already keeps it
// from being hidden, or the name of a Windows device.
func safeStem(name string) string {
	safe := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"/\|?*`, r) || r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '_'
		}
		return r
	}, stem(name))
	safe = strings.TrimRight(cut(safe, maxStem), " .") // which Windows takes off
	if safe == "" {
		return "_"
	}
	return safe
}

// shortened is a name with which the run can make longer ones. It keeps the
// extension.
func shortened(name string) string {
	const maxExtension = 16
	if len(name) <= maxName {
		return name
	}
	extension := filepath.Ext(name)
	if len(extension) > maxExtension {
		extension = "_" // so that the cut doesn't make an extension that means something
	}
	return cut(name, maxName-len(extension)) + extension
}

// cut takes whole characters off the end until at most so many bytes are left.
func cut(s string, most int) string {
	for len(s) > most {
		_, last := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-last]
	}
	return s
}

// makeFolder makes the folder of a file that is being claimed, with an ID that
// no other has or had.
func (b *Inbox) makeFolder(name string) (id string, err error) {
	wanted := newID(name, b.options.Now())
	for n := 1; ; n++ {
		id := numbered(wanted, n)
		if exists(b.at(doneFolder, id)) || exists(b.at(failedFolder, id)) {
			continue
		}
		if err := os.Mkdir(b.at(workingFolder, id), 0o700); !errors.Is(err, fs.ErrExist) {
			return id, err
		}
	}
}

// finish moves a folder out of working, whole. Its ID was free when it was
// made, but people move folders, too: then it takes the next number. dir comes
// with an error when the folder did move, but may be back after a power cut.
func (b *Inbox) finish(id, to string) (dir string, err error) {
	from := b.at(workingFolder, id)
	for n := 1; ; n++ {
		dir = b.at(to, numbered(id, n))
		if exists(dir) {
			continue
		}
		if err := os.Rename(from, dir); err != nil {
			return "", err
		}
		return dir, syncFolders(b.at(to), b.at(workingFolder))
	}
}

// numbered is the n-th ID of those that would be the same.
func numbered(id string, n int) string {
	if n == 1 {
		return id
	}
	return id + "-" + strconv.Itoa(n)
}

// exists reports whether a path is taken. When that can't be told it isn't: the
// step that follows then fails and says why.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
