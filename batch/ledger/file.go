package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// scheme is what a ledger's URL begins with.
const scheme = "sqlite:"

// CheckURL reports what is wrong with a ledger's URL, be it of a file or a database.
// The error shows no password.
func CheckURL(url string) error {
	if isPostgres(url) {
		_, err := newPostgres(url)
		return err
	}
	_, err := Path(url)
	return err
}

// Path returns the file of a ledger's URL, such as sqlite:konbill.db. The error
// says what is possible. Everything behind "sqlite:" is the path: nothing in it
// is special or escaped.
func Path(url string) (string, error) {
	path, ok := strings.CutPrefix(url, scheme)
	// sqlite://konbill.db would be /konbill.db, which nobody means.
	looksLikeHost := strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///")
	if !ok || path == "" || looksLikeHost {
		return "", fmt.Errorf("ledger.url %q: a ledger is a file, written sqlite:FILE, such as sqlite:konbill.db or sqlite:/var/lib/konbill/konbill.db", url)
	}
	return path, nil
}

// createPrivate makes the file, unless there is one, readable by its owner
// alone: it holds names, addresses and phone numbers. SQLite gives its other
// files the same mode. The path it returns is the same whichever way the file
// is named, so that all who use it meet at the same locks.
func createPrivate(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	switch folder := filepath.Dir(path); {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%w: make the folder %s, or change ledger.url", err, folder)
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("%w: Konbill must be able to write the file and its folder", err)
	case err != nil:
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// How a connection is used. Writing, SQLite keeps aside what a statement changes, since
// our triggers may abort it; in a file that would be half of what taking in costs.
var (
	forWriting = url.Values{"_txlock": {"immediate"}, "_pragma": {"temp_store(MEMORY)"}}
	forReading = url.Values{"_query_only": {"1"}}
)

// busyTimeout is how long a connection waits for another process to finish
// writing. The longest transaction opens a job of many thousand invoices, on a
// slow disk.
const busyTimeout = 30 * time.Second

// dataSource is the driver's name for the file. Any path works: the URL's
// special characters are escaped.
func dataSource(path string, use url.Values) string {
	query := url.Values{"_pragma": {
		"busy_timeout(" + strconv.FormatInt(busyTimeout.Milliseconds(), 10) + ")",
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"fullfsync(ON)", // on macOS fsync alone leaves the data in the disk's cache
		"foreign_keys(ON)",
		"secure_delete(ON)", // personal data that are removed are gone
	}}
	for name, values := range use {
		query[name] = append(query[name], values...)
	}
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}
	if !strings.HasPrefix(file.Path, "/") {
		file.Path = "/" + file.Path // a Windows drive
	}
	return file.String()
}
