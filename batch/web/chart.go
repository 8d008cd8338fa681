package web

import (
	"context"
	"sync"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

const (
	// chartDays is how many days the chart shows, today included.
	chartDays = 30
	// chartKept is how long what it shows may be old: to count takes a while where a
	// million bills were paid.
	chartKept = time.Minute
	// chartRuns bounds the runs that are looked at for what was issued.
	chartRuns = 5_000
)

// The chart in its own units: the height of the largest column, the width of a day, and of
// each of a day's three columns.
const (
	chartHeight = 100
	dayWidth    = 24
	columnWidth = 7
)

// chart is what was issued, paid and expired on each of the latest days.
type chart struct {
	Days []chartDay
	Most int // bills in the largest column
}

// chartDay is one day.
type chartDay struct {
	Day                   time.Time // its beginning in Japan
	Issued, Paid, Expired int
}

// column is a part of the drawing.
type column struct {
	Kind                string // issued, paid or expired
	X, Y, Width, Height int
}

// chartCache is the chart as it was drawn last.
type chartCache struct {
	mu    sync.Mutex
	at    time.Time
	drawn *chart
}

// Width of the drawing.
func (c *chart) Width() int { return len(c.Days) * dayWidth }

// Height of the drawing.
func (c *chart) Height() int { return chartHeight }

// Columns are what is drawn, fitted to the largest.
func (c *chart) Columns() (all []column) {
	for i, d := range c.Days {
		for j, of := range []struct {
			kind string
			n    int
		}{{"issued", d.Issued}, {"paid", d.Paid}, {"expired", d.Expired}} {
			if of.n > 0 {
				height := max(of.n*chartHeight/c.Most, 1)
				all = append(all, column{of.kind, i*dayWidth + j*columnWidth, chartHeight - height, columnWidth, height})
			}
		}
	}
	return all
}

// First is the earliest day.
func (c *chart) First() time.Time { return c.Days[0].Day }

// Last is the latest day.
func (c *chart) Last() time.Time { return c.Days[len(c.Days)-1].Day }

// chartNow is the chart of the latest days; nil where nothing happened on them.
func (s *Server) chartNow(ctx context.Context) (*chart, error) {
	s.chart.mu.Lock()
	defer s.chart.mu.Unlock()
	now := s.Now()
	if !s.chart.at.IsZero() && now.Sub(s.chart.at).Abs() < chartKept {
		return s.chart.drawn, nil
	}
	c, err := s.countDays(ctx, now)
	if err != nil {
		return nil, err
	}
	s.chart.at, s.chart.drawn = now, nil
	if c.Most > 0 {
		s.chart.drawn = c
	}
	return s.chart.drawn, nil
}

// countDays counts what happened on the latest days.
func (s *Server) countDays(ctx context.Context, now time.Time) (*chart, error) {
	year, month, day := now.In(invoice.Japan).Date()
	c := &chart{}
	at := map[string]*chartDay{}
	c.Days = make([]chartDay, chartDays)
	for i := range c.Days {
		c.Days[i].Day = time.Date(year, month, day-chartDays+1+i, 0, 0, 0, 0, invoice.Japan)
		at[inJapan(c.Days[i].Day, time.DateOnly)] = &c.Days[i]
	}
	counts, err := s.Ledger.Counts(ctx, c.First())
	if err != nil {
		return nil, err
	}
	for _, count := range counts {
		if d := at[inJapan(count.Day, time.DateOnly)]; d != nil { // what expires later is still to come
			d.Paid, d.Expired = count.Paid, count.Expired
		}
	}
	jobs, err := s.Ledger.Jobs(ctx, chartRuns)
	if err != nil {
		return nil, err
	}
	for _, job := range jobs {
		if d := at[inJapan(job.StartedAt, time.DateOnly)]; d != nil {
			d.Issued += job.Totals[batch.Issued].Rows
		}
	}
	for _, d := range c.Days {
		c.Most = max(c.Most, d.Issued, d.Paid, d.Expired)
	}
	return c, nil
}
