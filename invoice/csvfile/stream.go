package csvfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"hash/maphash"
	"io"
	"iter"
	"slices"
	"unicode/utf8"

	"konbill/invoice"
)

// MaxStream is how many bytes a file may have that is only looked at.
const MaxStream = 1 << 30

// blockBytes is how much of a file is decoded and split at once. It makes a
// chunk of some hundred rows, which is worth handing to another core.
const blockBytes = 64 << 10

// ErrChanged says that a file became another while it was read.
var ErrChanged = errors.New("the file changed while it was read")

// Stream is a file that is read again for every use rather than held, so that
// one of any size can be looked at. It is what [File] is otherwise: [Open] and
// [Scan] make the same rows of the same bytes, and refuse the same files.
//
// Each use goes once through the file: Scan for its encoding, and again for its
// records; Suspects and Chunks. A window of some hundred kilobytes is held, and
// eight bytes a row, which tell numbers that may come twice.
type Stream struct {
	name     string
	source   io.ReaderAt
	size     int64
	block    int
	sha256   [sha256.Size]byte
	seed     maphash.Seed
	sum      uint64 // of the bytes, to notice a change
	file     File   // encoding, delimiter and header; neither text nor records
	body     splitter
	rows     int
	maxRows  int
	suspects map[uint64]bool // numbers of which several rows may have the same, by their hash
}

// Scan reads a file as far as to know that all its rows can be given. The error
// is a *FileError, as Open's is; ErrChanged; or the source's. A file beyond
// MaxBytes or o.MaxRows is no error here, but see [Stream.Refusal]. name is for
// messages.
func Scan(name string, source io.ReaderAt, size int64, o Options) (*Stream, error) {
	return scan(name, source, size, o, blockBytes)
}

func scan(name string, source io.ReaderAt, size int64, o Options, block int) (*Stream, error) {
	s := &Stream{name: name, source: source, size: size, block: block, seed: maphash.MakeSeed(), maxRows: o.MaxRows}
	if size > MaxStream {
		return nil, s.tooLarge()
	}
	err := s.survey()
	if err == nil {
		err = s.readRecords(fieldsByHeader(o.Aliases))
	}
	if err == nil {
		return s, nil
	}
	if isFault(err) {
		err = s.refused(o)
	}
	return nil, err
}

// isFault tells what is wrong with a file from what kept it from being read.
func isFault(err error) bool {
	var fault *FileError
	return errors.As(err, &fault) || errors.Is(err, errUndecodable) || errors.Is(err, errEndless)
}

// refused is the error with which Open refuses the file. It knows which of
// several faults counts, and where the first one stands.
func (s *Stream) refused(o Options) error {
	if s.size > MaxBytes {
		return s.tooLarge()
	}
	data, err := io.ReadAll(io.NewSectionReader(s.source, 0, s.size))
	if err != nil {
		return err
	}
	_, err = Open(s.name, data, o)
	if maphash.Bytes(s.seed, data) != s.sum || err == nil {
		return ErrChanged
	}
	return err
}

func (s *Stream) tooLarge() *FileError {
	return &FileError{File: s.name, Code: CodeTooLarge, Max: MaxBytes}
}

// Refusal is the *FileError with which Open refuses the file for its size or
// its number of rows, or nil.
func (s *Stream) Refusal() error {
	switch {
	case s.size > MaxBytes:
		return s.tooLarge()
	case s.maxRows > 0 && s.rows > s.maxRows:
		return &FileError{File: s.name, Code: CodeTooManyRows, Have: s.rows, Max: s.maxRows}
	}
	return nil
}

// Name returns the name Scan was given.
func (s *Stream) Name() string { return s.name }

// SHA256 returns the digest of the file's bytes, in hex.
func (s *Stream) SHA256() string { return hex.EncodeToString(s.sha256[:]) }

// Len returns the number of rows.
func (s *Stream) Len() int { return s.rows }

// Column returns the header of a field as the file writes it and its position,
// as [File.Column] does.
func (s *Stream) Column(field invoice.Field) (header string, position int) {
	return s.file.Column(field)
}

// survey goes through the bytes: their digests, and which encoding they are in.
func (s *Stream) survey() error {
	digest, sum := sha256.New(), s.newSum()
	source := io.TeeReader(io.NewSectionReader(s.source, 0, s.size), io.MultiWriter(digest, sum))
	text := utf8Survey{valid: true}
	head := make([]byte, min(4, s.size))
	if _, err := io.ReadFull(source, head); err != nil {
		return cutShort(err)
	}
	text.Write(head)
	if _, err := io.CopyBuffer(&text, source, make([]byte, s.block)); err != nil {
		return err
	}
	digest.Sum(s.sha256[:0])
	s.sum = sum.Sum64()
	return s.chooseEncoding(head, text)
}

func (s *Stream) newSum() hash.Hash64 {
	sum := new(maphash.Hash)
	sum.SetSeed(s.seed)
	return sum
}

// cutShort says that a file has less bytes than it had.
func cutShort(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return ErrChanged
	}
	return err
}

// chooseEncoding decides as decode does.
func (s *Stream) chooseEncoding(head []byte, text utf8Survey) error {
	valid := text.valid && len(text.cut) == 0
	switch enc := &s.file.encoding; {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0")):
		return &FileError{Code: CodeWorkbook}
	case bytes.HasPrefix(head, []byte(markUTF16LE)):
		*enc = UTF16LE
	case bytes.HasPrefix(head, []byte(markUTF16BE)):
		*enc = UTF16BE
	case text.zero:
		return errUndecodable
	case bytes.HasPrefix(head, []byte(markUTF8)):
		*enc = UTF8BOM
		if !valid {
			return errUndecodable
		}
	case valid:
		*enc = UTF8
	default:
		*enc = CP932
	}
	return nil
}

// utf8Survey looks at bytes as they pass.
type utf8Survey struct {
	valid bool   // they are UTF-8, but for a last character that is cut
	zero  bool   // a byte is zero
	cut   []byte // of a character, what has come of it
}

// Write implements io.Writer. It never fails.
func (u *utf8Survey) Write(p []byte) (int, error) {
	n := len(p)
	u.zero = u.zero || bytes.IndexByte(p, 0) >= 0
	for len(u.cut) > 0 && len(p) > 0 && !utf8.FullRune(u.cut) {
		u.cut, p = append(u.cut, p[0]), p[1:]
	}
	if len(u.cut) > 0 && !utf8.FullRune(u.cut) {
		return n, nil
	}
	whole := len(p)
	for back := 1; back < utf8.UTFMax && back <= len(p); back++ {
		if at := len(p) - back; utf8.RuneStart(p[at]) {
			if !utf8.FullRune(p[at:]) {
				whole = at
			}
			break
		}
	}
	u.valid = u.valid && utf8.Valid(u.cut) && utf8.Valid(p[:whole])
	u.cut = append(u.cut[:0], p[whole:]...)
	return n, nil
}

// open begins to go through the file's text. end, once it was gone through,
// tells whether the bytes are still those that were surveyed.
func (s *Stream) open() (w *walk, end func() error) {
	mark := map[Encoding]int64{UTF8BOM: int64(len(markUTF8)), UTF16LE: int64(len(markUTF16LE)), UTF16BE: int64(len(markUTF16BE))}
	sum := s.newSum()
	source := io.TeeReader(io.NewSectionReader(s.source, 0, s.size), sum)
	w = &walk{blocks: newBlocks(source, s.file.encoding), block: s.block, splitter: splitter{line: 1}}
	if s.size > MaxBytes {
		w.most = MaxBytes
	}
	if _, err := io.CopyN(io.Discard, source, mark[s.file.encoding]); err != nil {
		return w, func() error { return cutShort(err) }
	}
	return w, func() error {
		if sum.Sum64() != s.sum {
			return ErrChanged
		}
		return nil
	}
}

// readRecords goes through the text: its header, the number of rows, which
// numbers may come twice, and what refuses the file as a whole.
func (s *Stream) readRecords(known map[string]invoice.Field) error {
	w, end := s.open()
	if err := s.readTop(w, known); err != nil {
		return err
	}
	f := &s.file
	emptyFrom := f.header.width
	if f.header.endsUnnamed() {
		emptyFrom = 0
	}
	var numbers []uint64
	for chunk, err := range s.walk(w) {
		if err != nil {
			return err
		}
		s.rows += len(chunk.records)
		if numbers == nil {
			numbers = make([]uint64, 0, s.rowsLike(chunk))
		}
		for _, r := range chunk.records {
			if emptyFrom < f.header.width {
				emptyFrom = max(emptyFrom, lastFilled(r.cells(chunk.text, f.delimiter)))
			}
			if number, ok := s.number(chunk.text, r); ok {
				numbers = append(numbers, number)
			}
		}
	}
	if fault := f.header.emptyColumns(emptyFrom); fault != nil {
		return fault
	}
	s.suspects = repeated(numbers)
	return end()
}

// rowsLike guesses how many rows the file has, if they are all like those of a
// chunk. A list that grew by itself would leave several times its size behind.
func (s *Stream) rowsLike(chunk Chunk) int {
	const most = 1 << 20 // short rows first must not take all the memory
	return int(min(most, s.size*int64(len(chunk.records))*5/4/int64(len(chunk.text))))
}

// readTop reads the header from a window that is long enough to be certain.
func (s *Stream) readTop(w *walk, known map[string]invoice.Field) error {
	for {
		if err := w.more(); err != nil {
			return err
		}
		s.file.name, s.file.text = s.name, w.text
		rows, looked, fault := s.file.readTop(known)
		if looked > len(w.text) && !w.blocks.ended {
			continue
		}
		s.file.text = ""
		if fault != nil {
			return fault
		}
		w.splitter, s.body = rows, splitter{at: rows.at, line: rows.line, delimiter: rows.delimiter}
		return nil
	}
}

// walk yields the rows from where w stands. An error ends it.
func (s *Stream) walk(w *walk) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		for {
			records, unclosed := w.records()
			records = slices.DeleteFunc(records, func(r record) bool { return s.file.isBlank(w.text, r) })
			if len(records) > 0 && !yield(Chunk{&s.file, w.text, records}, nil) {
				return
			}
			if unclosed > 0 {
				yield(Chunk{}, &FileError{Code: CodeUnclosedQuote, Line: unclosed})
				return
			}
			if w.blocks.ended {
				return
			}
			if err := w.more(); err != nil {
				yield(Chunk{}, err)
				return
			}
		}
	}
}

// Chunks yields the rows of the file in parts, in file order. An error ends it:
// ErrChanged, or the source's.
func (s *Stream) Chunks() iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		w, end := s.open()
		for len(w.text) < s.body.at && !w.blocks.ended {
			if err := w.more(); err != nil {
				yield(Chunk{}, s.changed(err))
				return
			}
		}
		if len(w.text) < s.body.at {
			yield(Chunk{}, ErrChanged)
			return
		}
		text := w.text
		w.splitter = s.body
		w.text = text
		for chunk, err := range s.walk(w) {
			if err != nil {
				yield(Chunk{}, s.changed(err))
				return
			}
			if !yield(chunk, nil) {
				return
			}
		}
		if err := end(); err != nil {
			yield(Chunk{}, err)
		}
	}
}

// changed is what an error means once the file was found to be in order.
func (s *Stream) changed(err error) error {
	if isFault(err) {
		return ErrChanged
	}
	return err
}

// Suspects yields, in file order, the rows whose number other rows may have,
// too, and hardly any others. Errors are those of Chunks.
func (s *Stream) Suspects() iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		if len(s.suspects) == 0 {
			return
		}
		for chunk, err := range s.Chunks() {
			chunk.records = slices.DeleteFunc(chunk.records, func(r record) bool {
				number, ok := s.number(chunk.text, r)
				return !ok || !s.suspects[number]
			})
			if (err != nil || len(chunk.records) > 0) && !yield(chunk, err) {
				return
			}
		}
	}
}

// number is the hash of a row's number, if it has one.
func (s *Stream) number(text string, r record) (hash uint64, ok bool) {
	if s.file.problem(r) != nil {
		return 0, false
	}
	column := slices.Index(s.file.header.fields, invoice.FieldNumber)
	number := invoice.NumberOf(s.file.value(r.cell(column, text, s.file.delimiter)))
	return maphash.String(s.seed, number), number != ""
}

// repeated are the hashes that come twice or more.
func repeated(hashes []uint64) map[uint64]bool {
	slices.Sort(hashes)
	found := map[uint64]bool{}
	for i := 1; i < len(hashes); i++ {
		if hashes[i] == hashes[i-1] {
			found[hashes[i]] = true
		}
	}
	return found
}
