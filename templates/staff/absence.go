package staff

import "time"

// Missing is a run that had not ended when it should have.
type Missing struct {
	Sender
	Due        time.Time // when the schedule wanted it
	ExpectedBy time.Time // when it should have ended, at the latest
	Began      time.Time // zero: it has not begun
	LastEnded  time.Time // when a run last ended well; zero: none has
	Inbox      string    // the folder into which staff drop files
}

// Urgency is what the mail asks of staff.
func (m Missing) Urgency() Urgency { return ToBeDone }

// RunMissing writes the mail about a run that did not happen, or did not end,
// by the time staff expect it to.
func RunMissing(m Missing) (Message, error) {
	return mail(m.Language, "missing", m)
}

// Skip is a scheduled run that was left out.
type Skip struct {
	Sender
	Due     time.Time // when the schedule wanted it
	Running time.Time // when the run before it began, which still goes on; zero: another konbill holds the ledger
	Next    time.Time // when the schedule wants the next
}

// Urgency is what the mail asks of staff.
func (s Skip) Urgency() Urgency {
	if s.Running.IsZero() {
		return ToBeDone
	}
	return ToBeRead
}

// Skipped writes the mail about a scheduled run that was left out, since
// another was going on.
func Skipped(s Skip) (Message, error) {
	return mail(s.Language, "skipped", s)
}
