package batch

// Point names a durable boundary of a run, or of a notice: a moment between two things of which
// one may have happened when the process dies. Tests end it at each.
type Point string

// The points, in the order of a run.
const (
	LockTaken         Point = "lock_taken"
	AccountAsked      Point = "account_asked"
	AccountRemembered Point = "account_remembered"
	JobOpening        Point = "job_opening"
	JobOpened         Point = "job_opened"

	SweepListing  Point = "sweep_listing"
	SweepAdopted  Point = "sweep_adopted" // an invoice issued elsewhere
	SweepListed   Point = "sweep_listed"
	SweepRecorded Point = "sweep_recorded"

	UnknownFound  Point = "unknown_found"
	UnknownMissed Point = "unknown_missed" // by a first complete scan
	UnknownAbsent Point = "unknown_absent" // by a second

	ChargeIntending Point = "charge_intending"
	ChargeIntended  Point = "charge_intended"
	SourceAsking    Point = "source_asking"
	SourceAnswered  Point = "source_answered"
	SourceRecorded  Point = "source_recorded"
	ChargeAsking    Point = "charge_asking"
	ChargeAnswered  Point = "charge_answered"
	ChargeRecorded  Point = "charge_recorded"
	RefusalRecorded Point = "refusal_recorded"

	MailIntending Point = "mail_intending"
	MailIntended  Point = "mail_intended"
	MailSending   Point = "mail_sending"
	MailAnswered  Point = "mail_answered"
	MailRecorded  Point = "mail_recorded"

	SlipWriting    Point = "slip_writing"
	SlipWritten    Point = "slip_written"
	ResultsWriting Point = "results_writing"
	ResultsWritten Point = "results_written"
	ErrorsWritten  Point = "errors_written"
	ReceiptWritten Point = "receipt_written"
	JobClosed      Point = "job_closed"
	LockReleased   Point = "lock_released"
)

// Points are all of them.
var Points = []Point{
	LockTaken, AccountAsked, AccountRemembered, JobOpening, JobOpened,
	SweepListing, SweepAdopted, SweepListed, SweepRecorded,
	UnknownFound, UnknownMissed, UnknownAbsent,
	ChargeIntending, ChargeIntended, SourceAsking, SourceAnswered, SourceRecorded,
	ChargeAsking, ChargeAnswered, ChargeRecorded, RefusalRecorded,
	MailIntending, MailIntended, MailSending, MailAnswered, MailRecorded,
	SlipWriting, SlipWritten, ResultsWriting, ResultsWritten, ErrorsWritten, ReceiptWritten, JobClosed, LockReleased,
}

// The points on the way of a notice, in order.
const (
	NoticeIntending Point = "notice_intending"
	NoticeIntended  Point = "notice_intended"
	NoticeSending   Point = "notice_sending"
	NoticeAnswered  Point = "notice_answered"
	NoticeRecorded  Point = "notice_recorded"
)

// NoticePoints are all of those.
var NoticePoints = []Point{NoticeIntending, NoticeIntended, NoticeSending, NoticeAnswered, NoticeRecorded}

// at tells whoever listens that the run has come to a point.
func (r *Runner) at(p Point) {
	if r.At != nil {
		r.At(p)
	}
}
