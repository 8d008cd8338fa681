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
	for _, path := range paths {
		font, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		slimmer, err := slimmed(font)
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
	if _, err := slimmed(font); err == nil {
		t.Error("short offsets were taken for long ones")
	}
}
