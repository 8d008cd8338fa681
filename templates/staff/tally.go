package staff

// Tally adds up a night over its files. Of a file that goes on later only what
// was charged counts: the rest is told once the file is finished.
type Tally struct {
	Results map[Result]Sum
	Mail    Mails
	Files   map[Outcome]int
	Waiting map[Why]int
}

// Tally adds up the night.
func (n Night) Tally() Tally {
	t := Tally{Results: map[Result]Sum{}, Files: map[Outcome]int{}, Waiting: map[Why]int{}}
	for _, f := range n.Files {
		t.Files[f.Outcome]++
		for _, r := range f.Results {
			if f.Outcome == Finished || r.Result == Issued || r.Result == AlreadyIssued {
				t.Results[r.Result] = t.Results[r.Result].plus(r.Sum)
			}
		}
		if f.Outcome == Finished {
			t.Mail = t.Mail.plus(f.Mail)
		}
	}
	for _, w := range n.Waiting {
		t.Waiting[w.Why]++
	}
	return t
}

// Issued and the others are for the templates, which can't name a constant.

// Issued is what was charged in this pass.
func (t Tally) Issued() Sum { return t.Results[Issued] }

// AlreadyIssued is what had been charged before.
func (t Tally) AlreadyIssued() Sum { return t.Results[AlreadyIssued] }

// Rejected is what must be corrected.
func (t Tally) Rejected() Sum { return t.Results[Rejected] }

// NotIssued is what failed.
func (t Tally) NotIssued() Sum { return t.Results[NotIssued] }

// Unknown is what has no trustworthy answer yet.
func (t Tally) Unknown() Sum { return t.Results[Unknown] }

// Duplicates counts the files whose bytes were processed before.
func (t Tally) Duplicates() int { return t.Files[Duplicate] }

// Failed counts the files that were refused as a whole.
func (t Tally) Failed() int { return t.Files[Failed] }

// Unfinished counts the files that go on later.
func (t Tally) Unfinished() int { return t.Files[Unfinished] }

// WaitsFor counts the files in the inbox that wait for something.
func (t Tally) WaitsFor(why Why) int { return t.Waiting[why] }

// Errors counts the rows that somebody must see to: an invoice that was not
// issued, or a customer whom no mail may have reached.
func (t Tally) Errors() int {
	return t.Rejected().Rows + t.NotIssued().Rows + t.Mail.Refused + t.Mail.Held
}

// Stuck counts the files that somebody must move on.
func (t Tally) Stuck() int {
	stuck := t.Failed()
	for _, why := range []Why{OpenInExcel, CannotOpen, NoTotal, TwoTotals, SharedTotal, NoApproval} {
		stuck += t.WaitsFor(why)
	}
	return stuck
}

// Urgency is what the night asks of staff. A charge of unknown outcome asks for
// nothing yet: whoever acts on it too early bills a customer twice.
func (n Night) Urgency() Urgency {
	t := n.Tally()
	byPerson := t.Errors() + t.Stuck()
	byItself := t.Unknown().Rows + t.Mail.Deferred + t.Unfinished() + t.Duplicates() + t.WaitsFor(StillChanging)
	switch {
	case n.Trouble != "" || byPerson > 0:
		return ToBeDone
	case byItself > 0 || n.HolidayListEnds != 0:
		return max(ToBeRead, n.Retried.urgency())
	}
	return n.Retried.urgency()
}
