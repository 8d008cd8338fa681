package main

import (
	"math"
	"os"
	"runtime/debug"

	"konbill/batch"
	"konbill/invoice/csvfile"
)

// The heap grows up to smallHeap, or up to so many times the file's size,
// before garbage is collected more often than usual: what a row leaves in memory
// while its file is run is about half of that.
const (
	smallHeap    = 92 << 20 // bytes
	heapPerBytes = 8
)

// makeRoom fits memory to a file that is to be run. What GOMEMLIMIT says goes first,
// and a print file needs as much as it needs.
func makeRoom(path string, s batch.Settings) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if s.PrintFile {
		debug.SetMemoryLimit(math.MaxInt64)
		return
	}
	limit := int64(smallHeap)
	if info, err := os.Stat(path); err == nil {
		limit = max(limit, heapPerBytes*min(info.Size(), csvfile.MaxBytes))
	}
	debug.SetMemoryLimit(limit)
}
