package batch

import (
	"bytes"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// Checkup is one file checked without being held, so that it may be of any
// size. Its rows are those of a [Sheet], with the same findings.
//
// It is limited by the rules for fields, on however many cores there are: the numbering
// plan's look at landlines takes a seventh of the time, names an eighth, reading CSV
// and mapping it a fifth. What is held is a window of the file, a chunk a core, and eight
// bytes a row to find numbers that come twice. Seen on two shared cores: 200,000 to
// 253,000 rows a second at 100,000 and 1,000,000 rows alike, with 8 to 12 MB of heap;
// konbill check, whose heap may grow, 250,000 in UTF-8 and in CP932, with a peak of 57 MB
// for a million rows and 300,000 findings. To repeat:
//
//	go test ./batch -run '^$' -bench Check
type Checkup struct {
	Name    string // base name of the file
	SHA256  string // of its bytes, hex
	Refusal error  // the *csvfile.FileError with which a run refuses the file for its size or its rows, or nil

	source   io.Closer
	stream   *csvfile.Stream
	inspect  inspection
	repeated map[int]invoice.Finding // by line: the number was met before
	late     map[int]invoice.Finding // by line: the number came again
}

// CheckUp reads a file as far as to know that all its rows can be checked. The
// error is a *csvfile.FileError when the file as a whole can't be used;
// csvfile.ErrChanged; or the operating system's. A Checkup must be closed.
func CheckUp(path string, how Reading, now time.Time) (*Checkup, error) {
	source, size, err := openSource(path)
	if err != nil {
		return nil, err
	}
	stream, err := csvfile.Scan(filepath.Base(path), source, size, how.File)
	if err != nil {
		source.Close()
		return nil, err
	}
	c := &Checkup{
		Name: stream.Name(), SHA256: stream.SHA256(), Refusal: stream.Refusal(),
		source: source, stream: stream, inspect: newInspection(how, now, stream.Column),
	}
	if err := c.compareNumbers(); err != nil {
		source.Close()
		return nil, err
	}
	return c, nil
}

// Close lets go of the file.
func (c *Checkup) Close() error { return c.source.Close() }

// compareNumbers looks at the rows whose numbers may come twice.
func (c *Checkup) compareNumbers() error {
	numbers := invoice.NewNumbers()
	c.repeated, c.late = map[int]invoice.Finding{}, map[int]invoice.Finding{}
	for chunk, err := range c.stream.Suspects() {
		if err != nil {
			return err
		}
		for row := range chunk.Rows() {
			if repeated, ok := numbers.Meet(row.Line, invoice.NumberOf(row.Fields.Number), row.Fields); ok {
				c.repeated[row.Line] = c.inspect.place(repeated)
			}
		}
	}
	for _, late := range numbers.Late() {
		c.late[late.Line] = c.inspect.place(late)
	}
	return nil
}

// Rows checks the rows, on several cores, and yields them in file order. An
// error ends it: csvfile.ErrChanged, or the operating system's.
func (c *Checkup) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for rows, err := range inOrder(c.stream.Chunks(), c.chunk) {
			if err != nil {
				yield(Row{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

func (c *Checkup) chunk(chunk csvfile.Chunk) []Row {
	rows := make([]Row, 0, chunk.Len())
	for read := range chunk.Rows() {
		row := c.inspect.row(read)
		if f, ok := c.repeated[row.Line]; ok {
			row.repeats(f)
		}
		if f, ok := c.late[row.Line]; ok {
			row.Findings = append(row.Findings, f)
		}
		rows = append(rows, row.Row)
	}
	return rows
}

// source is a file that can be gone through again.
type source interface {
	io.ReaderAt
	io.Closer
}

// openSource opens a file. What can be read only once, such as a pipe, is held.
func openSource(path string) (source, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		f.Close()
		return nil, 0, err
	case info.Mode().IsRegular():
		return f, info.Size(), nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, csvfile.MaxBytes+1))
	return heldSource{bytes.NewReader(data)}, int64(len(data)), err
}

type heldSource struct{ *bytes.Reader }

// Close implements io.Closer.
func (heldSource) Close() error { return nil }
