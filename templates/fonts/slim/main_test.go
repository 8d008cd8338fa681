package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestFontsAreSlim: the fonts in the program carry nothing that the slip doesn't use.
func TestFontsAreSlim(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "*.ttf"))
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	var faces [][]byte
	for i, path := range paths {
		font, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		others := faces
		if i < len(paths)-1 { // the last one stands in for the others
			others, faces = nil, append(faces, font)
		}
		slimmer, err := slimmed(font, others)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(slimmer, font) {
			t.Errorf("%s has %d bytes, slim would make %d of it", path, len(font), len(slimmer))
		}
	}
}

func TestNotSlimmed(t *testing.T) {
	font, err := os.ReadFile(filepath.Join("..", "BIZUDPGothic_400Regular.ttf"))
	if err != nil {
		t.Fatal(err)
	}
	head := bytes.Index(font[:512], []byte("head"))
	at := be.Uint32(font[head+8:])
	font[at+51] = 0
	if _, err := slimmed(font, nil); err == nil {
		t.Error("short offsets were taken for long ones")
	}
}
