package main

import (
	"fmt"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"konbill/batch"
)

// lineEvery is how often progress is told where there is no terminal.
const lineEvery = 10 * time.Second

// progress shows how far a run has come: a bar on a terminal, else a line now
// and then.
type progress struct {
	a        *app
	bars     *mpb.Progress
	bar      *mpb.Bar
	told     time.Time
	began    bool
	counting bool
}

func (a *app) newProgress() *progress { return &progress{a: a, told: time.Now()} }

func (p *progress) tell(now batch.Progress) {
	if p.a.terminal {
		p.draw(now)
		return
	}
	if time.Since(p.told) < lineEvery {
		return
	}
	p.told = time.Now()
	fmt.Fprintf(p.a.stderr, p.a.say("%d / %d 件（%s円）\n", "%d of %d invoices, ¥%s\n"), now.Done, now.Total, now.Sums.All().Yen)
}

// waiting counts down to the look for unknown outcomes.
func (p *progress) waiting(w batch.Waiting) {
	text := fmt.Sprintf(p.a.say("結果を確認できていない請求が %d 件あります。照合まで あと %d 秒", "%d charges of unknown outcome; looking for them in %d s"),
		w.Open, int(w.Left.Round(time.Second).Seconds()))
	switch {
	case p.a.terminal:
		fmt.Fprintf(p.a.stderr, "\r%s \x1b[K", text)
		p.counting = true
	case !p.counting || time.Since(p.told) >= lineEvery:
		p.told, p.counting = time.Now(), true
		fmt.Fprintln(p.a.stderr, text)
	}
	if w.Left <= time.Second {
		p.endCounting()
	}
}

func (p *progress) endCounting() {
	if p.counting && p.a.terminal {
		fmt.Fprint(p.a.stderr, "\r\x1b[K")
	}
	p.counting = false
}

func (p *progress) draw(now batch.Progress) {
	if !p.began {
		p.began = true
		p.bars = mpb.New(mpb.WithOutput(p.a.stderr), mpb.WithWidth(48))
		p.bar = p.bars.AddBar(int64(now.Total),
			mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.CountersNoUnit("%d / %d")),
			mpb.AppendDecorators(decor.AverageETA(decor.ET_STYLE_GO)))
	}
	p.bar.SetTotal(int64(now.Total), false)
	p.bar.SetCurrent(int64(now.Done))
}

// end clears the bar away.
func (p *progress) end() {
	p.endCounting()
	if p.began {
		p.bar.SetTotal(-1, true)
		p.bars.Wait()
	}
}
