package main

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// page is a slip as data, which every peer draws. Lengths are in points, from
// the lower left corner of A4.
type page struct {
	Number string `json:"number"`
	Code   string `json:"code"` // of the payment, as one of the lines has it
	Paths  []path `json:"paths"`
	Lines  []line `json:"lines"`
	Links  []link `json:"links"`
}

// path is one filled path of rectangles: a rule, a panel, or a whole QR code.
type path struct {
	Colour [3]float64   `json:"colour"` // red, green, blue, 0–1
	Areas  [][4]float64 `json:"areas"`  // x, y, width, height
}

// line is a line of text; x is its left end, y its baseline.
type line struct {
	X      float64    `json:"x"`
	Y      float64    `json:"y"`
	Size   float64    `json:"size"`
	Face   string     `json:"face"` // regular or bold
	Colour [3]float64 `json:"colour"`
	Text   string     `json:"text"`
}

// link is an area that opens an address.
type link struct {
	Area    [4]float64 `json:"area"` // x, y, width, height
	Address string     `json:"address"`
}

var (
	streamPattern    = regexp.MustCompile(`/Length (\d+)[^<>]*>>\s*stream\r?\n`)
	facePattern      = regexp.MustCompile(`(?m)/(F\w+) (\d+) 0 R`)
	toUnicodePattern = regexp.MustCompile(`/ToUnicode (\d+) 0 R`)
	characterPattern = regexp.MustCompile(`<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4})>\n`)
	linkPattern      = regexp.MustCompile(`/Rect \[([\d. ]+)\][^(]*/URI \(([^)]*)\)`)
)

// readPage reads the page of a slip that Konbill drew.
func readPage(file []byte) (page, error) {
	content, err := contentOf(file)
	if err != nil {
		return page{}, err
	}
	faces, err := facesOf(file)
	if err != nil {
		return page{}, err
	}
	r := contentReader{faces: faces}
	if err := r.read(content); err != nil {
		return page{}, err
	}
	if len(r.page.Lines) == 0 || len(r.page.Paths) == 0 {
		return page{}, errors.New("no text or no code is on it")
	}
	for _, found := range linkPattern.FindAllSubmatch(file, -1) {
		corner, err := numbers(strings.Fields(string(found[1])))
		if err != nil || len(corner) != 4 {
			return page{}, errors.New("a link without an area is on it")
		}
		r.page.Links = append(r.page.Links, link{upright(corner[0], corner[1], corner[2]-corner[0], corner[3]-corner[1]), string(found[2])})
	}
	return r.page, nil
}

// contentOf returns the one stream that draws text.
func contentOf(file []byte) ([]byte, error) {
	for _, found := range streamPattern.FindAllSubmatchIndex(file, -1) {
		content, err := unpacked(file, found)
		if err == nil && bytes.Contains(content, []byte("Tj")) && bytes.Contains(content, []byte("BT ")) {
			return content, nil
		}
	}
	return nil, errors.New("no page is in it")
}

// unpacked returns the stream that streamPattern found. It is cut out by its
// length: what is compressed may look like the end of a stream.
func unpacked(file []byte, found []int) ([]byte, error) {
	length, err := strconv.Atoi(string(file[found[2]:found[3]]))
	if err != nil || length > len(file)-found[1] {
		return nil, errors.New("a stream has no length")
	}
	unpacking, err := zlib.NewReader(bytes.NewReader(file[found[1] : found[1]+length]))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unpacking)
}

// face is a font of a file.
type face struct {
	name       string            // regular or bold
	characters map[string]string // by their codes, of two bytes
}

// facesOf finds the fonts by their names among the resources.
func facesOf(file []byte) (map[string]face, error) {
	faces := map[string]face{}
	for _, found := range facePattern.FindAllSubmatch(file, -1) {
		font := objectOf(file, found[2])
		reference := toUnicodePattern.FindSubmatch(font)
		if reference == nil {
			continue // something else that begins with F
		}
		f := face{name: "regular"}
		if bytes.Contains(font, []byte("-Bold")) {
			f.name = "bold"
		}
		var err error
		if f.characters, err = charactersBy(objectOf(file, reference[1])); err != nil {
			return nil, err
		}
		faces[string(found[1])] = f
	}
	return faces, nil
}

// objectOf returns an object of a file, or nil.
func objectOf(file, number []byte) []byte {
	begin := bytes.Index(file, []byte("\n"+string(number)+" 0 obj"))
	if begin < 0 {
		return nil
	}
	rest := file[begin:]
	if end := bytes.Index(rest, []byte("\nendobj")); end >= 0 {
		return rest[:end]
	}
	return rest
}

// charactersBy reads a ToUnicode table (ISO 32000-1, 9.10.3).
func charactersBy(object []byte) (map[string]string, error) {
	found := streamPattern.FindSubmatchIndex(object)
	if found == nil {
		return nil, errors.New("a font has no table of characters")
	}
	table, err := unpacked(object, found)
	if err != nil {
		return nil, err
	}
	characters := map[string]string{}
	for _, pair := range characterPattern.FindAllSubmatch(table, -1) {
		code, err := hex.DecodeString(string(pair[1]))
		if err != nil {
			return nil, err
		}
		point, err := strconv.ParseUint(string(pair[2]), 16, 16)
		if err != nil {
			return nil, err
		}
		characters[string(code)] = string(rune(point))
	}
	return characters, nil
}

// upright is an area with a width and a height that aren't negative.
func upright(x, y, width, height float64) [4]float64 {
	return [4]float64{min(x, x+width), min(y, y+height), max(width, -width), max(height, -height)}
}

func numbers(fields []string) ([]float64, error) {
	var out []float64
	for _, f := range fields {
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}
