package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"konbill/batch"
	"konbill/batch/follow"
	"konbill/batch/inbox"
	"konbill/batch/web"
	"konbill/invoice"
)

// checkForPage is what check does with a file.
func (s *service) checkForPage(path string, lang invoice.Language) (*batch.Checkup, error) {
	return batch.CheckUp(path, s.config.reading(lang), s.now())
}

// readForPage reads a file as a run does.
func (s *service) readForPage(path string, lang invoice.Language) (*batch.Sheet, error) {
	return batch.ReadSheet(path, s.config.reading(lang), s.now())
}

// previewForPage is what preview makes of a row, with the texts that runs have.
func (s *service) previewForPage(inv invoice.Invoice) (web.Preview, error) {
	pdf, mail, err := s.config.previewOf(inv, s.runner.Settings.Texts)
	return web.Preview{Slip: pdf, Subject: mail.Subject, Text: mail.Text, HTML: mail.Standalone()}, err
}

// resendForPage mails an invoice again, as konbill resend does, unless a run goes on.
func (s *service) resendForPage(ctx context.Context, number string, lang invoice.Language) (said string, mailed bool, err error) {
	if !s.busy.TryLock() {
		return "", false, batch.ErrHeld
	}
	defer s.busy.Unlock()
	runner := *s.runner
	runner.Settings.Who = "page"
	reports, err := runner.Resend(ctx, []string{number}, "")
	if err != nil || len(reports) == 0 {
		return "", false, err
	}
	speaker := *s.app
	speaker.lang = lang
	return speaker.resentText(reports[0]), reports[0].NotSent == "" && reports[0].Entry.State == batch.Mailed, nil
}

// recallForPage calls a bill back, as konbill recall does, unless a run goes on.
func (s *service) recallForPage(ctx context.Context, number string, lang invoice.Language) (said string, recalled bool, err error) {
	if !s.busy.TryLock() {
		return "", false, batch.ErrHeld
	}
	defer s.busy.Unlock()
	account, err := s.runner.Identify(ctx)
	if err != nil {
		return "", false, err
	}
	follower := &follow.Follower{Ledger: s.ledger, Gateway: s.shop.client, Account: account, Who: "page", Now: s.now}
	reports, err := follower.Recall(ctx, []string{number})
	if len(reports) == 0 {
		return "", false, err
	}
	if err != nil { // the report says what is known of the bill
		s.log.Warn("a bill could not be called back", "reason", s.reason(err))
	}
	speaker := *s.app
	speaker.lang = lang
	return speaker.recalledText(reports[0]), reports[0].Outcome == follow.RecallDone, nil
}

// pauseForPage pauses the inbox, for all who serve it.
func (s *service) pauseForPage(by string) error {
	return inbox.SetPaused(s.config.Inbox.Folder, inbox.Pause{By: by, At: s.now().UTC()})
}

// papersForPage finds what a run has left by the bytes of its file, among those that are
// filed away under its name. A file is taken before it runs, mostly on the same day, so the
// search goes back from there; a copy that was dropped again has left nothing.
func (s *service) papersForPage(run batch.Job) (map[web.Paper]string, error) {
	filed, err := inbox.Archive(s.config.Inbox.Folder)
	if err != nil {
		return nil, err
	}
	for _, f := range slices.Backward(filed) {
		if f.Day.After(run.StartedAt) || filepath.Base(f.Path) != run.File || !f.Holds(run.SHA256) {
			continue
		}
		papers := map[web.Paper]string{web.ResultsPaper: f.Results(), web.ErrorsPaper: f.Errors(), web.ReceiptPaper: batch.ReceiptOf(f.Path)}
		maps.DeleteFunc(papers, func(_ web.Paper, path string) bool {
			_, err := os.Stat(path)
			return err != nil
		})
		if len(papers) > 0 {
			return papers, nil
		}
	}
	return nil, nil
}

// operation is what the page says of what goes on.
func (s *service) operation(context.Context) web.Operation {
	o := web.Operation{Next: s.times.NextRuns(s.now(), 3)}
	var from time.Time
	o.Running, o.Progress, from = s.running.progress()
	if passed := s.now().Sub(from); o.Progress.Done > 0 && passed >= time.Second {
		o.PerMinute = int(float64(o.Progress.Done) / passed.Minutes())
		o.Left = passed / time.Duration(o.Progress.Done) * time.Duration(o.Progress.Total-o.Progress.Done)
	}
	pause, paused, err := inbox.Paused(s.config.Inbox.Folder)
	o.Paused, o.PausedBy, o.PausedAt = paused || err != nil, pause.By, pause.At
	if queue := s.queue.Load(); queue != nil {
		o.Waiting = slices.Clone(queue.Ready)
		for _, w := range queue.Waiting {
			o.Waiting = append(o.Waiting, w.Name)
		}
	}
	return o
}

// examineForPage is doctor, for the page.
func (s *service) examineForPage(ctx context.Context, lang invoice.Language) ([]web.Examination, error) {
	doctor := *s.app
	doctor.langFlag = string(lang)
	found, err := doctor.examine(ctx)
	if err != nil {
		return nil, err
	}
	var all []web.Examination
	for _, e := range found {
		all = append(all, web.Examination{Name: e.Name, Detail: e.Detail, Hint: e.Hint, OK: e.OK})
	}
	return all, nil
}

// listed is the configuration in force, key by key. It has no secrets.
func (c config) listed(origins map[string]string) ([]web.Setting, error) {
	var text bytes.Buffer
	if err := c.print(&text, true); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(&text)
	decoder.UseNumber() // a million rows are no 1e+06
	var values map[string]any
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	var settings []web.Setting
	for _, section := range slices.Sorted(maps.Keys(values)) {
		keys, isSection := values[section].(map[string]any)
		if !isSection {
			settings = append(settings, web.Setting{Key: section, Value: fmt.Sprint(values[section]), Origin: origins[section]})
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			name := section + "." + key
			settings = append(settings, web.Setting{Key: name, Value: fmt.Sprint(keys[key]), Origin: origins[name]})
		}
	}
	return settings, nil
}
