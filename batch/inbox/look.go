package inbox

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// Queue is what lies in the inbox, each list oldest first.
type Queue struct {
	Ready   []string // names that may be claimed
	Waiting []Waiting
}

// Waiting is a file that can't be taken yet.
type Waiting struct {
	Name   string
	Reason Reason
	Since  time.Time // of the first look that found this reason
}

// Reason says why a file waits. Reasons are stable.
type Reason string

// The reasons. A file has the first that applies.
const (
	InUse         Reason = "in_use"         // a spreadsheet's lock stands beside it or its total
	Changing      Reason = "changing"       // it or its total has not stood still long enough
	Unopenable    Reason = "unopenable"     // it or its total can't be opened: permissions, or another program holds it
	SeveralTotals Reason = "several_totals" // more than one control total stands beside it
	SharedTotal   Reason = "shared_total"   // its control total is another file's as well
	TotalMissing  Reason = "total_missing"  // Options.RequireTotal, and there is none
	Unapproved    Reason = "unapproved"     // nobody has approved it yet; it is a draft, and no look finds it
)

// sighting is what the looks so far have seen of a name.
type sighting struct {
	size     int64
	modified time.Time
	unmoved  time.Time // the first look that saw it so
	reason   Reason    // why it waited at the last look
	since    time.Time
}

// Look polls once. It remembers what it saw: a file is ready when looks that
// are Options.StableFor apart, and all between, saw the same size and time of
// it and its control total, it opens, and nothing else speaks against it.
func (b *Inbox) Look() (Queue, error) {
	l, err := b.observe()
	if err != nil {
		return Queue{}, err
	}
	var q Queue
	for _, name := range l.files {
		if reason := b.reason(l, name); reason != "" {
			q.Waiting = append(q.Waiting, Waiting{Name: name, Reason: reason, Since: b.seen[name].since})
		} else {
			q.Ready = append(q.Ready, name)
		}
	}
	return q, nil
}

// listing is the inbox at one look.
type listing struct {
	at     time.Time
	files  []string            // oldest first
	totals []string            // as the folder has them
	all    map[string]bool     // every name, folded
	owners map[string][]string // the files that a control total may belong to, by its name, folded
}

// observe reads the folder and remembers what it sees, and forgets what is
// gone. Totals that a claim left behind come back first.
func (b *Inbox) observe() (*listing, error) {
	if err := b.tidy(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(b.folder)
	if err != nil {
		return nil, err
	}
	l := &listing{at: b.options.Now(), all: map[string]bool{}, owners: map[string][]string{}}
	seen := map[string]sighting{}
	for _, e := range entries {
		l.all[fold(e.Name())] = true
		if leftAlone(e.Name()) || !e.Type().IsRegular() && !isTotal(e.Name()) {
			continue
		}
		info, err := e.Info()
		switch {
		case errors.Is(err, fs.ErrNotExist): // since the folder was read
			continue
		case err != nil:
			return nil, err
		}
		seen[e.Name()] = b.seen[e.Name()].again(info, l.at)
		l.add(e.Name())
	}
	b.seen = seen
	slices.SortFunc(l.files, func(x, y string) int {
		return cmp.Or(seen[x].modified.Compare(seen[y].modified), strings.Compare(x, y))
	})
	return l, nil
}

func (l *listing) add(name string) {
	if isTotal(name) {
		l.totals = append(l.totals, name)
		return
	}
	l.files = append(l.files, name)
	for _, total := range totalNames(name) {
		if !slices.Contains(l.owners[total], name) {
			l.owners[total] = append(l.owners[total], name)
		}
	}
}

// again is the sighting after another look.
func (s sighting) again(info fs.FileInfo, now time.Time) sighting {
	if s.unmoved.IsZero() || !s.matches(info) {
		s.size, s.modified, s.unmoved = info.Size(), info.ModTime(), now
	}
	return s
}

// matches reports whether a file still is as it was seen.
func (s sighting) matches(info fs.FileInfo) bool {
	return s.size == info.Size() && s.modified.Equal(info.ModTime())
}

// reason says why a file must wait, "" when it needn't, and remembers since
// when.
func (b *Inbox) reason(l *listing, name string) Reason {
	reason := b.obstacle(l, name)
	s := b.seen[name]
	if s.reason != reason {
		s.reason, s.since = reason, l.at
		b.seen[name] = s
	}
	return reason
}

func (b *Inbox) obstacle(l *listing, name string) Reason {
	totals := l.totalsOf(name)
	together := append([]string{name}, totals...)
	switch {
	case slices.ContainsFunc(together, l.inUse):
		return InUse
	case slices.ContainsFunc(together, func(name string) bool { return l.at.Sub(b.seen[name].unmoved) < b.options.StableFor }):
		return Changing
	case slices.ContainsFunc(together, func(name string) bool { return !opens(b.at(name)) }):
		return Unopenable
	case len(totals) > 1:
		return SeveralTotals
	case len(totals) == 1 && len(l.owners[fold(totals[0])]) > 1:
		return SharedTotal
	case len(totals) == 0 && b.options.RequireTotal:
		return TotalMissing
	}
	return ""
}

// totalsOf are the control totals that stand beside a file.
func (l *listing) totalsOf(name string) []string {
	var totals []string
	for _, total := range l.totals {
		if slices.Contains(l.owners[fold(total)], name) {
			totals = append(totals, total)
		}
	}
	return totals
}

// inUse reports whether somebody has a file open in a spreadsheet.
func (l *listing) inUse(name string) bool {
	return slices.ContainsFunc(lockNames(name), func(lock string) bool { return l.all[lock] })
}

// opens reports whether a file can be opened, and is one. It asks to write, as
// that fails while Excel has the file open on Windows or its share; who may
// only read it gets to it nevertheless.
func opens(path string) bool {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) {
		f, err = os.Open(path)
	}
	if err != nil {
		return false
	}
	return f.Close() == nil
}
