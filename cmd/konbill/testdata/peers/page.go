package main

import (
	"bytes"
	"compress/zlib"
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
	streamPattern = regexp.MustCompile(`/Length (\d+)[^<>]*>>\s*stream\r?\n`)
	facePattern   = regexp.MustCompile(`(?m)/(F\w+) (\d+) 0 R`)
	linkPattern   = regexp.MustCompile(`/Rect \[([\d. ]+)\][^(]*/URI \(([^)]*)\)`)
)

// readPage reads the page of a slip that Konbill drew.
func readPage(file []byte) (page, error) {
	content, err := contentOf(file)
	if err != nil {
		return page{}, err
	}
	r := contentReader{faces: facesOf(file)}
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

// contentOf returns the one stream that draws text. Streams are cut out by their
// lengths: what is compressed may look like the end of one.
func contentOf(file []byte) ([]byte, error) {
	for _, found := range streamPattern.FindAllSubmatchIndex(file, -1) {
		length, err := strconv.Atoi(string(file[found[2]:found[3]]))
		if err != nil || length > len(file)-found[1] {
			continue
		}
		unpacking, err := zlib.NewReader(bytes.NewReader(file[found[1] : found[1]+length]))
		if err != nil {
			continue // not compressed: no page
		}
		content, err := io.ReadAll(unpacking)
		if err == nil && bytes.Contains(content, []byte("Tj")) && bytes.Contains(content, []byte("BT ")) {
			return content, nil
		}
	}
	return nil, errors.New("no page is in it")
}

// facesOf tells which face each name of a font resource stands for.
func facesOf(file []byte) map[string]string {
	faces := map[string]string{}
	for _, found := range facePattern.FindAllSubmatch(file, -1) {
		object := regexp.MustCompile(`(?s)\n` + string(found[2]) + ` 0 obj\n.*?/BaseFont /(\S+)`).FindSubmatch(file)
		if object == nil {
			continue
		}
		faces[string(found[1])] = "regular"
		if bytes.Contains(object[1], []byte("Bold")) {
			faces[string(found[1])] = "bold"
		}
	}
	return faces
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
