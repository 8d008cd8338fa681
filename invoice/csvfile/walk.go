package csvfile

import "errors"

// errEndless says that a record is longer than any file that may be held.
var errEndless = errors.New("csvfile: a record without an end")

// walk splits a file into records block by block. At any time it holds a window
// of the text: a block, and before it the record that the block before left
// unfinished. A record is given once nothing that stands behind the window
// could make another of it.
type walk struct {
	splitter
	blocks *blocks
	block  int    // bytes to read at once
	most   int    // bytes of text a record may have; 0 is no limit
	room   []byte // for the window; used again
	found  int    // records of the window before: about as many as this one has
}

// more moves the window on: what was split goes, and a block is added. A record
// that fills the window gets a window twice as long.
func (w *walk) more() error {
	rest := w.text[w.at:]
	if w.most > 0 && len(rest) > w.most {
		return errEndless
	}
	var err error
	w.room, err = w.blocks.next(append(w.room[:0], rest...), max(w.block, len(rest)))
	w.text, w.at = string(w.room), 0
	return err
}

// records are the records of the window that are certain. unclosed is the line
// on which a quote opens that never closes in the whole file.
func (w *walk) records() (found []record, unclosed int) {
	found = make([]record, 0, w.found+w.found/16)
	defer func() { w.found = len(found) }()
	for {
		before := w.splitter
		r, ok, opened := w.next()
		switch {
		case w.blocks.ended && !ok:
			return found, opened
		case !w.blocks.ended && (!ok || w.looked > len(w.text)):
			w.splitter = before
			return found, 0
		}
		found = append(found, r)
	}
}
