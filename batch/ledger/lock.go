package ledger

import "time"

// The locks of an SQLite ledger are files beside it. The operating system drops a
// lock when its holder dies; the files stay and mean nothing by themselves.
const (
	holdSuffix = "-lock"
	turnSuffix = "-turn"
)

// turnstilePoll is how often a process looks whether the turnstile is free. It
// is held for microseconds, unless others queue.
//
// The turnstile lets the processes that want to write through one by one: who has
// it waits for SQLite's write lock, and gives it back when he has that. SQLite
// itself keeps no queue. It polls, ever more slowly, so a process that writes
// without pause would leave others hardly a chance until they fail; but now it
// has to stand behind them.
const turnstilePoll = 2 * time.Millisecond
