package batch

import (
	"context"
	"fmt"
	"time"

	"konbill/invoice"
)

// Remind reminds customers of bills that they have not paid, each bill once for
// each of Settings.RemindDays: so many days before the last one on which it can be
// paid, and after that until it can't. Whether it was paid is asked for right
// before. What has come due together is one mail, the one nearest to the date.
//
// Reminded are those whose instructions went out, to where they went, and never
// within a day of another mail about the bill. The reports stand in the order in
// which the invoices were accepted; the error is as Run's.
func (r *Runner) Remind(ctx context.Context) ([]Noticed, error) {
	release, err := r.Ledger.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if _, err := r.Identify(ctx); err != nil {
		return nil, err
	}
	errands, err := r.reminders(ctx)
	if err != nil {
		return nil, err
	}
	return r.notify(ctx, errands)
}

// RemindersDue lists who would get a reminder now, by what the ledger knows.
// Nobody is asked anything.
func (r *Runner) RemindersDue(ctx context.Context) ([]Noticed, error) {
	errands, err := r.reminders(ctx)
	var due []Noticed
	for _, t := range errands {
		due = append(due, t.undone(""))
	}
	return due, err
}

// reminderKind is the kind of the reminder of so many days before.
func reminderKind(days int) NoticeKind { return NoticeKind(fmt.Sprintf("remind-%dd", days)) }

// atRest is how long a customer is left alone after a mail.
const atRest = day

func (r *Runner) reminders(ctx context.Context) ([]errand, error) {
	if r.Settings.MailOff {
		return nil, errNoMail
	}
	var due []errand
	now := r.Now()
	q := Query{ChargeStatuses: []string{StatusPending}, States: []State{Mailed, Held}}
	err := r.ofMine(ctx, q, func(e Entry) error {
		days, ok := dueReminder(e.Charge, r.Settings.RemindDays, now)
		if !ok || !r.mailable(e) {
			return nil
		}
		notices, err := r.Ledger.Notices(ctx, e.Key)
		if err != nil {
			return err
		}
		kind := reminderKind(days)
		begun := NoticeOf(notices, kind)
		if r.wanted(begun, now) && (begun != nil || now.Sub(latestMail(e, notices)) >= atRest) {
			due = append(due, errand{entry: e, kind: kind, days: days, begun: begun, status: StatusPending})
		}
		return nil
	})
	return due, err
}

// dueReminder is the reminder nearest to the date of those that are due: from the
// beginning of a day in Japan, so many days before the last one on which the
// charge can be paid. One of a day on which, or before which, the charge was made
// would be no reminder.
func dueReminder(c Charge, days []int, now time.Time) (nearest int, ok bool) {
	lastDay := dayOf(c.ExpiresAt.Add(-time.Nanosecond)) // midnight ends the day before
	for _, n := range days {
		from := lastDay.AddDate(0, 0, -n)
		if !now.Before(from) && from.After(dayOf(c.CreatedAt)) && (!ok || n < nearest) {
			nearest, ok = n, true
		}
	}
	return nearest, ok && now.Before(c.ExpiresAt)
}

// dayOf is the beginning of the day in Japan that an instant is in.
func dayOf(t time.Time) time.Time {
	year, month, d := t.In(invoice.Japan).Date()
	return time.Date(year, month, d, 0, 0, 0, 0, invoice.Japan)
}

// latestMail is when the customer was last mailed about a bill, or perhaps was.
func latestMail(e Entry, notices []Notice) time.Time {
	latest := e.MailedAt
	if e.State == Held {
		latest = e.UpdatedAt
	}
	for _, n := range notices {
		if (n.State == Mailed || n.State == Held) && n.UpdatedAt.After(latest) {
			latest = n.UpdatedAt
		}
	}
	return latest
}
