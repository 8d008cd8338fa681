package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"sync"

	"konbill/batch"
	"konbill/invoice/csvfile"
)

// The heap grows up to smallHeap, or up to so many times the file's size,
// before garbage is collected more often than usual: what a row leaves in memory
// while its file is run is about half of that.
const (
	smallHeap    = 84 << 20 // bytes
	heapPerBytes = 8
)

// oneMore lets one more compute than there are cores, so that an answer of the API, on
// which the next request waits, is read while all cores draw and write mails: the
// system divides the cores, where Go would let the answer wait its turn.
var oneMore = sync.OnceFunc(func() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
})

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

// The heap of a check grows up to checkHeap and a part of the file's size. A check
// leaves much garbage and holds little: eight bytes a row, of fifty or more.
const (
	checkHeap      = 20 << 20 // bytes
	checkShare     = 5
	checkGCPercent = 400
)

// makeRoomToCheck fits memory to a file that is to be checked. What GOMEMLIMIT and GOGC
// say goes first.
func makeRoomToCheck(path string) {
	info, err := os.Stat(path)
	if err != nil || os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(checkGCPercent)
	debug.SetMemoryLimit(checkHeap + min(info.Size(), csvfile.MaxStream)/checkShare)
}
