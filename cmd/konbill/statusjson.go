package main

import (
	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/invoice"
)

// The shapes in which status gives its data.

type jobData struct {
	Run        int64        `json:"run"` // its number, as recall --run takes it
	File       string       `json:"file"`
	SHA256     string       `json:"sha256"`
	StartedAt  string       `json:"started_at"`
	FinishedAt string       `json:"finished_at"` // empty: still running, or cut short
	Results    batch.Totals `json:"results"`
}

type entryData struct {
	Number       string      `json:"invoice_no"`
	Revision     int         `json:"revision"`
	Replaces     string      `json:"replaces,omitempty"` // the charge that ended unpaid before; in a history only
	Mode         string      `json:"mode"`
	State        batch.State `json:"state"`
	Amount       invoice.Yen `json:"amount"`
	SentName     string      `json:"sent_name"`
	ChargeID     string      `json:"charge_id"`
	PaymentCode  string      `json:"payment_code"`
	AuthorizeURI string      `json:"authorize_uri"`
	ChargeStatus string      `json:"charge_status"`
	ExpiresAt    string      `json:"expires_at"`
	PaidAt       string      `json:"paid_at"` // empty until it is paid; fee and net are 0 then
	Fee          invoice.Yen `json:"fee"`     // tax on it included
	Net          invoice.Yen `json:"net"`
	Reason       string      `json:"reason"` // why there is no charge
	MailedTo     string      `json:"mailed_to"`
	MailReply    string      `json:"mail_reply"`
	UpdatedAt    string      `json:"updated_at"`
	Events       []eventData `json:"events,omitempty"`
}

type eventData struct {
	At   string      `json:"at"`
	Who  string      `json:"who"`
	From batch.State `json:"from"`
	To   batch.State `json:"to"`
	Why  string      `json:"why"`
}

type machineData struct {
	Name  string `json:"name"`
	Turn  bool   `json:"turn"` // it serves the inbox; the others stand by
	File  string `json:"file"` // that it is at; empty: none
	Since string `json:"since"`
	Seen  string `json:"seen_at"`

	Leads     bool    `json:"leads"`               // it runs a file, and hands out its invoices
	InHand    int     `json:"in_hand"`             // invoices that it settles
	PerSecond float64 `json:"requests_per_second"` // its share of what all may ask of the API
	AtOnce    int     `json:"requests_at_once"`
}

// fleetData is how much there is to be settled by the machines.
type fleetData struct {
	Waiting  int `json:"waiting"`
	UnderWay int `json:"under_way"`
}

func machinesJSON(machines []ledger.Machine) []machineData {
	data := []machineData{}
	for _, m := range machines {
		data = append(data, machineData{
			Name: m.Name, Turn: m.Turn, File: m.Doing, Since: batch.Timestamp(m.Since), Seen: batch.Timestamp(m.Seen),
			Leads: m.Leads, InHand: m.InHand, PerSecond: m.PerSecond, AtOnce: m.AtOnce,
		})
	}
	return data
}

func jobsJSON(jobs []batch.Job) []jobData {
	data := []jobData{}
	for _, j := range jobs {
		data = append(data, jobData{
			Run: j.ID, File: j.File, SHA256: j.SHA256, Results: j.Totals,
			StartedAt: batch.Timestamp(j.StartedAt), FinishedAt: batch.Timestamp(j.FinishedAt),
		})
	}
	return data
}

func entriesJSON(entries []batch.Entry) []entryData {
	data := []entryData{}
	for _, e := range entries {
		data = append(data, entryJSON(e))
	}
	return data
}

func entryJSON(e batch.Entry) entryData {
	paidAt, fee, net := paymentOf(e)
	return entryData{
		Number: e.Invoice.Number, Revision: e.Revision, Mode: e.Account.Mode(), State: e.State, Amount: e.Invoice.Amount,
		SentName: e.Invoice.SentName, ChargeID: e.Charge.ID, PaymentCode: e.Charge.PaymentCode,
		AuthorizeURI: e.Charge.AuthorizeURI, ChargeStatus: e.Charge.Status, ExpiresAt: batch.Timestamp(e.Charge.ExpiresAt),
		PaidAt: paidAt, Fee: fee, Net: net,
		Reason: e.Refusal.Code, MailedTo: e.MailedTo, MailReply: e.MailReply, UpdatedAt: batch.Timestamp(e.UpdatedAt),
	}
}

// paymentOf is when an invoice was paid, and what that cost and left; nothing
// until it is paid.
func paymentOf(e batch.Entry) (paidAt string, fee, net invoice.Yen) {
	if c := e.Charge; c.Paid() {
		return batch.Timestamp(c.PaidAt), c.Fee + c.FeeVAT, c.Net
	}
	return "", 0, 0
}

func eventsJSON(events []batch.Event) []eventData {
	data := []eventData{}
	for _, e := range events {
		data = append(data, eventData{At: batch.Timestamp(e.At), Who: e.Who, From: e.From, To: e.To, Why: e.Why})
	}
	return data
}
