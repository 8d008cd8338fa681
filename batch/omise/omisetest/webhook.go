package omisetest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// change is something that happened to a charge, and what the charge was then.
type change struct {
	key         string
	charge      *heldCharge
	status      string
	at          time.Time
	transaction string
}

func (s *shelf) note(key string, c *heldCharge, at time.Time) {
	s.changes = append(s.changes, change{key: key, charge: c, status: c.status, at: at, transaction: c.transaction})
}

// keyOfEnd is the key of the event that a charge has ended.
func keyOfEnd(status string) string {
	if status == expired {
		return "charge.expire"
	}
	return "charge.complete"
}

// Event is what the API has to tell of a charge, by webhook.
type Event struct {
	ID       string
	Key      string // charge.create, charge.complete, charge.expire
	ChargeID string
	Body     []byte // with the charge as it was then
}

type eventObject struct {
	Object            string        `json:"object"`
	ID                string        `json:"id"`
	Livemode          bool          `json:"livemode"`
	Location          string        `json:"location"`
	WebhookDeliveries []any         `json:"webhook_deliveries"`
	Data              *chargeObject `json:"data"`
	Key               string        `json:"key"`
	CreatedAt         stamp         `json:"created_at"`
}

// Events returns what there was to tell so far, in its order. That there is none
// of a charge that expired unasked is the practice API's choice. They are sent by
// whoever has them, with [Event.Send]: once, twice, in any order, or never.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var events []Event
	for i, c := range s.shelf.changes {
		events = append(events, c.event(i))
	}
	return events
}

func (c change) event(n int) Event {
	then := *c.charge
	then.status, then.endedAt, then.transaction = c.status, c.at, c.transaction
	mode := "_test"
	if then.source.live {
		mode = ""
	}
	id := fmt.Sprintf("evnt%s_5%018s", mode, base36(int64(n)))
	body, err := json.Marshal(eventObject{
		Object: "event", ID: id, Livemode: then.source.live, Location: "/events/" + id, WebhookDeliveries: []any{},
		Data: then.object(c.at), Key: c.key, CreatedAt: stamp(c.at),
	})
	if err != nil {
		panic(fmt.Sprintf("omisetest: event: %v", err)) // our own object
	}
	return Event{ID: id, Key: c.key, ChargeID: then.id, Body: body}
}

// Send posts an event to an address, signed at an instant with each of the
// secrets, which are not in base64 any more, as the API does while one is changed
// for another.
func (e Event) Send(ctx context.Context, url string, at time.Time, secrets ...[]byte) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(e.Body))
	if err != nil {
		return 0, err
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, secret := range secrets {
		hash := hmac.New(sha256.New, secret)
		fmt.Fprintf(hash, "%s.%s", timestamp, e.Body)
		signatures = append(signatures, hex.EncodeToString(hash.Sum(nil)))
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Omise-Signature-Timestamp", timestamp)
	request.Header.Set("Omise-Signature", strings.Join(signatures, ","))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}
