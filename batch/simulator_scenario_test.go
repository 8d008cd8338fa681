package batch_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
	"konbill/invoice"
	"konbill/invoice/csvfile"
	"konbill/templates"
)

// simulation is one history: what a seed makes of a shop's invoices.
type simulation struct {
	*world
	settings batch.Settings
	sabotage sabotage
	rows     []*content
	book     *book
	backup   *ledgertest.Snapshot
	branch   *book // of the same company, on the same account
	lives    int
	commands int
}

// book is a ledger. Its life ends when it is restored from a backup: what it
// did afterwards it doesn't know.
type book struct {
	*ledgertest.Memory
	life int
}

// content is what the file says in a row.
type content struct {
	number, email, phone, description, due string
	amount                                 int
}

// good reports whether the row passes its checks.
func (c content) good() bool { return c.amount >= 200 }

// same reports whether the row still says what the API was asked for.
func (c content) same(r batch.ChargeRequest) bool {
	return c.amount == int(r.Amount) && c.phone == r.Phone && (c.due == "" || c.due == givenDue)
}

// givenDue is the due date of rows that name one.
const givenDue = "2026-12-20"

func (c content) line() string {
	return fmt.Sprintf("%s,%d,%s,山田太郎,%s,%s,%s\n", c.number, c.amount, c.email, c.phone, c.description, c.due)
}

func numberOfAddress(to string) string {
	local, _, _ := strings.Cut(to, "@")
	return strings.ToUpper(strings.TrimPrefix(local, "refused."))
}

// simulate plays the history of a seed and returns its judge. It must run in a
// bubble of testing/synctest.
func simulate(seed uint64, s sabotage, tell func(string)) *judge {
	w := &world{timeline: newTimeline(seed), disk: map[string][]byte{}, census: map[string]int{}}
	w.tell = func(format string, args ...any) {
		if tell != nil {
			tell(w.stamp() + "  " + fmt.Sprintf(format, args...))
		}
	}
	w.weather = w.drawWeather()
	w.api = &api{world: w, skew: w.between(-3*time.Minute, 3*time.Minute)}
	w.mail = &mailServer{world: w}
	w.judge = &judge{world: w, numbers: map[batch.Key]string{}, underWay: map[batch.Key]int{}}
	sim := &simulation{world: w, sabotage: s}
	sim.book = sim.newBook()
	sim.drawRows()
	sim.drawSettings()
	sim.drawStrangers()
	for range 1 + w.IntN(4) {
		sim.interlude()
		sim.round()
		sim.serve()
	}
	sim.finale()
	return w.judge
}

func (s *simulation) newBook() *book {
	s.lives++
	return &book{Memory: ledgertest.NewMemory(), life: s.lives}
}

func (s *simulation) drawRows() {
	for i := range 1 + s.IntN(6) {
		c := &content{number: fmt.Sprintf("N-%d", i), phone: "09011112222", amount: 1000 + i}
		c.email = strings.ToLower(c.number) + "@example.jp"
		if s.chance(0.5) {
			c.due = givenDue
		}
		switch {
		case s.chance(0.1):
			c.amount = 1 // too small
		case s.chance(0.1):
			c.email = "refused." + c.email
		}
		s.rows = append(s.rows, c)
		for n := range mostRevisions {
			s.judge.numbers[batch.KeyOfRevision(simulatedAccount, c.number, n+1)] = c.number
		}
	}
}

// mostRevisions is how many bills under a number the judge knows by name.
const mostRevisions = 20

// drawStrangers charges other people by other means, so that lists are long.
func (s *simulation) drawStrangers() {
	if !s.chance(0.2) {
		return
	}
	for range 1 + s.IntN(20) {
		s.api.commit(batch.ChargeRequest{Amount: 500}, 0, "pending")
	}
}

func (s *simulation) drawSettings() {
	s.settings = batch.Settings{
		Reading: batch.Reading{
			Rules:    invoice.Rules{DueDays: 30, MaxDueDays: 60, NameOverflow: invoice.CutName, Language: invoice.Japanese},
			Language: invoice.Japanese,
		},
		Merchant: templates.Merchant{Name: "さくら商店", Phone: "03-0000-0000"}, MailFrom: "billing@sakura.example",
		Workers: 1 + s.IntN(3), SourceFirst: s.chance(0.3), SettleAfter: settleAfter,
		MailOff: s.chance(0.2), ResendHeld: s.chance(0.1), ResultsEncoding: csvfile.UTF8, ConfigHash: "c0ffee", Who: "run",
	}
	s.judge.mailsOnce = !s.settings.ResendHeld
	if s.sabotage.settings != nil {
		s.sabotage.settings(&s.settings)
	}
	s.tell("%d rows, %d workers, source-first %v, mail off %v, resend %v, weather %v",
		len(s.rows), s.settings.Workers, s.settings.SourceFirst, s.settings.MailOff, s.settings.ResendHeld, s.weather)
}

// interlude is what happens between two runs.
func (s *simulation) interlude() {
	s.rest(s.between(0, 2*time.Minute))
	if s.chance(0.3) {
		s.weather = s.drawWeather()
		s.tell("weather %v", s.weather)
	}
	switch {
	case s.chance(0.1):
		snapshot := s.book.Snapshot()
		s.backup = &snapshot
		s.happens("the ledger is backed up")
	case s.chance(0.15) && s.backup != nil:
		s.rest(calm)
		s.book.Restore(*s.backup)
		s.lives++
		s.book.life = s.lives
		s.happens("the ledger is restored")
	case s.chance(0.1):
		s.rest(calm)
		s.book, s.backup = s.newBook(), nil
		s.happens("the ledger is lost")
	case s.chance(0.1):
		s.visitBranch()
	case s.chance(0.1):
		c := s.rows[s.IntN(len(s.rows))]
		if c.good() {
			c.amount += 100
			s.happens("somebody raises an amount")
		}
	case s.chance(0.05):
		s.plantForeign()
	}
	s.endBills()
}

// endBills lets some bills come to their end, of which the ledger may hear.
func (s *simulation) endBills() {
	for _, c := range s.api.charges {
		switch {
		case c.Key == "" || !s.chance(0.1):
		case c.Status == "pending":
			s.end(c, []string{"expired", "expired", "failed", "successful"}[s.IntN(4)])
		case c.wasBill() && len(s.api.owed(c.Number)) == 0:
			s.end(c, "successful")
			s.happens("a store reports late")
		}
	}
	if s.chance(0.5) {
		s.sync()
	}
}

func (s *simulation) end(c *apiCharge, status string) {
	c.Status, c.FailureCode = status, ""
	if status == "failed" {
		c.FailureCode = "timeout"
	}
	s.tell("API: %s of %s is %s", c.ID, c.Number, status)
}

// sync has the ledger take over what the API says of the bills that it has.
func (s *simulation) sync() {
	ctx := context.Background()
	payments := batch.Payments{Ledger: s.book, Who: "sync", Now: func() time.Time { return s.now }}
	err := s.book.Entries(ctx, batch.Query{ChargeStatuses: []string{"pending"}}, func(e batch.Entry) error {
		found, _ := s.api.byID(e.Charge.ID)
		_, err := payments.Learn(ctx, e, found.Charge, true)
		return err
	})
	if err != nil {
		s.judge.violated("a sync: %v", err)
	}
	s.happens("the payments are synced")
}

// visitBranch has a branch with a ledger of its own run the same file.
func (s *simulation) visitBranch() {
	if s.branch == nil {
		s.branch = s.newBook()
	}
	s.happens("the branch runs the file")
	s.rest(calm)
	s.together(s.newProcess("branch", s.branch))
	s.rest(calm)
}

// plantForeign charges an invoice once more by other means, under our key.
func (s *simulation) plantForeign() {
	if len(s.api.charges) == 0 {
		return
	}
	original := s.api.charges[s.IntN(len(s.api.charges))]
	if original.Status != "pending" || original.Key == "" {
		return
	}
	planted := *original
	planted.ID += "_foreign"
	planted.CreatedAt, planted.listedAt, planted.foreign = s.now.Add(s.api.skew).Truncate(time.Second), s.now, true
	s.api.charges = append(s.api.charges, &planted)
	s.happens("somebody charges an invoice once more")
}

// happens tells of an event between the runs.
func (s *simulation) happens(what string) {
	s.census[what]++
	s.tell("%s", what)
}

// rest lets time go by.
func (s *simulation) rest(d time.Duration) { s.play(nil, s.now.Add(d)) }

// round is one run or look for unknown outcomes, or two at once, with whatever
// ends them early.
func (s *simulation) round() {
	first := s.newProcess("first", s.book)
	first.reconcile, first.reissue = s.chance(0.1), s.chance(0.3)
	s.drawFuses(first)
	if !s.chance(0.3) {
		s.together(first)
		return
	}
	second := s.newProcess("second", s.book)
	second.reissue = s.chance(0.3)
	s.drawFuses(second)
	s.census["two at once"]++
	if s.chance(0.5) {
		first.lockless, second.lockless = true, true
		s.census["two at once, without a lock"]++
	}
	s.together(first, second)
}

// serve does what the service does after a run: it sleeps until something is to
// be tried again, and tries that, while somebody may run the file by hand.
func (s *simulation) serve() {
	if !s.chance(0.4) {
		return
	}
	passes := 1 + s.IntN(4)
	if s.chance(0.15) {
		defer func(before weather) { s.weather = before }(s.weather)
		down := []fault{pageFails, noServer, mailDeferred}[s.IntN(3)]
		s.weather, passes = weather{down: 1}, 10
		s.tell("for days: %s", down)
	}
	for range passes {
		next := s.nextRetry()
		if next.IsZero() || s.now.After(opening.Add(mostServed)) {
			return
		}
		if s.chance(0.8) {
			s.rest(max(next.Sub(s.now), 0) + s.between(0, time.Minute))
		} else {
			s.rest(s.between(0, 2*time.Hour))
		}
		s.tryAgain()
	}
}

// mostServed keeps the service from coming to the due dates of the rows.
const mostServed = 12 * 24 * time.Hour

func (s *simulation) nextRetry() time.Time {
	r := batch.Runner{Ledger: s.book, Settings: s.settings, Fingerprint: "a key", Now: func() time.Time { return s.now }}
	next, err := r.NextRetry(context.Background())
	if err != nil {
		s.judge.violated("when to try again: %v", err)
	}
	return next
}

func (s *simulation) tryAgain() {
	p := s.newProcess("retry", s.book)
	p.retry = true
	s.drawFuses(p)
	if !s.chance(0.2) {
		s.together(p)
		return
	}
	other := s.newProcess("by hand", s.book)
	s.drawFuses(other)
	p.lockless = s.chance(0.5)
	other.lockless = p.lockless
	s.together(p, other)
}

// rarePoints are those that few runs come to.
var rarePoints = []batch.Point{batch.SweepAdopted, batch.UnknownFound, batch.UnknownMissed, batch.UnknownAbsent, batch.SourceRecorded}

// drawFuses decides when and where a process ends before its time.
func (s *simulation) drawFuses(p *process) {
	light := func(likely float64, burn func()) {
		if s.chance(likely) {
			p.fuses = append(p.fuses, fuse{1 + s.IntN(30+50*len(s.rows)), burn})
		}
	}
	switch {
	case s.chance(0.25):
		p.fatal = batch.Points[s.IntN(len(batch.Points))]
	case s.chance(0.2):
		p.fatal = rarePoints[s.IntN(len(rarePoints))]
	}
	light(0.3, p.die)
	light(0.1, p.interrupt)
	light(0.1, p.finishUp)
}

func (s *simulation) newProcess(name string, b *book) *process {
	s.commands++
	p := &process{
		world: s.world, name: fmt.Sprintf("%d %s", s.commands, name), book: b,
		handle: b.Another(), asked: map[batch.Key]bool{}, drain: make(chan struct{}),
	}
	p.handle.Fail = memory{p}.fail
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// together lets one or more processes work, at about the same time, and judges
// what they say.
func (s *simulation) together(processes ...*process) {
	s.judge.processes = processes
	for i, p := range processes {
		begin := func() { go s.work(p, fmt.Sprintf("/in/%d.csv", i)) }
		if i == 0 {
			begin()
		} else {
			s.later(s.between(0, 40*time.Second), begin)
		}
	}
	s.play(func() bool {
		return !slices.ContainsFunc(processes, func(p *process) bool { return !p.ended })
	}, time.Time{})
	for _, p := range processes {
		s.conclude(p)
		p.cancel()
	}
}

// work is the main goroutine of a process.
func (s *simulation) work(p *process, path string) {
	defer func() { p.ended = true }()
	if p.reconcile {
		_, p.err = s.runner(p).Reconcile(p.ctx)
		return
	}
	if p.retry {
		p.retried, p.err = s.runner(p).Retry(p.ctx)
		return
	}
	for _, row := range s.rows {
		p.rows = append(p.rows, *row)
	}
	s.disk[path] = []byte(fileOf(p.rows))
	if p.report, p.err = s.runner(p).Run(p.ctx, path, ""); p.report != nil {
		p.told = slices.Collect(p.report.Rows)
	}
}

func fileOf(rows []content) string {
	var b strings.Builder
	b.WriteString("invoice_no,amount,email,name,phone,description,due\n")
	for _, row := range rows {
		b.WriteString(row.line())
	}
	return b.String()
}

// runner is Konbill, with the simulated world around it.
func (s *simulation) runner(p *process) *batch.Runner {
	r := &batch.Runner{
		Reissue: p.reissue,
		Ledger:  memory{p}, Gateway: network{p}, Mailer: network{p}, Disk: files{p}, Settings: s.settings,
		Fingerprint: "a key", Now: p.nowIs, Wait: p.wait, Waiting: p.waiting, At: p.at, Drain: p.drain,
	}
	r.DrawPlainly()
	s.sabotage.apply(r)
	return r
}

// conclude judges a run, and does what its results ask people to do.
func (s *simulation) conclude(p *process) {
	s.tell("%s: ends: %v", p.name, p.err)
	s.judge.finished(p)
	if p.dead || p.report == nil {
		return
	}
	for _, o := range p.told {
		s.tell("%s: %s is %s %v, %s", p.name, o.Invoice.Number, o.Result, o.Codes(p.report.Reach), o.Entry.State)
		s.correct(p, o)
	}
}

// correct is what a person makes of a row that wasn't issued.
func (s *simulation) correct(p *process, o batch.RowOutcome) {
	c := s.rows[slices.IndexFunc(s.rows, func(c *content) bool { return c.number == o.Invoice.Number })]
	codes := o.Codes(p.report.Reach)
	switch {
	case slices.Contains(codes, "charge_declined"):
		c.email = strings.TrimPrefix(c.email, "refused.")
		c.description += "改"
		s.tell("somebody corrects %s", c.number)
	case slices.Contains(codes, invoice.CodeConflict):
		if issued := p.book.latest(c.number); issued.Key != "" {
			c.amount = int(issued.Invoice.Amount)
			if c.due != "" {
				c.due = issued.Invoice.Due.Format(time.RFC3339)
			}
			s.tell("somebody restores %s", c.number)
		}
	}
}

// finale lets the faults end. What a run finds wrong with a row is put right
// for the next; so many of them settle everything: the row of an invoice whose
// outcome is unknown may have to be restored, is then proved absent, asked for,
// declined, corrected, asked for again, and last of all already issued.
func (s *simulation) finale() {
	s.weather = weather{}
	s.api.busyUntil = time.Time{}
	s.tell("the faults end")
	s.sync()
	reissue := s.chance(0.5)
	var last *process
	for range 4 {
		last = s.newProcess("last", s.book)
		last.reissue = reissue
		s.together(last)
	}
	s.judge.settled(last)
}
