package omisetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// crowd is a practice API that has made many charges, a thousand a second,
// without a request for each.
func crowd(many int) *Server {
	began := time.Date(2023, 11, 16, 15, 0, 0, 0, time.UTC)
	now := began.Add(time.Duration(many/1000) * time.Second)
	s := NewServer(Options{Now: func() time.Time { return now }})
	for i := range many {
		at := began.Add(time.Duration(i/1000) * time.Second)
		source := s.shelf.addSource(payer{amount: 300}, false, at)
		s.shelf.addCharge(&heldCharge{
			source: source, amount: 300, metadata: map[string]string{"n": fmt.Sprint(i)}, createdAt: at, expiresAt: now.Add(time.Hour),
		})
	}
	return s
}

func list(t testing.TB, s *Server, query string) (status int, l listed) {
	t.Helper()
	r := httptest.NewRequest("GET", "/charges?"+query, nil)
	r.SetBasicAuth("skey_test_list", "")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil {
		t.Fatal(err)
	}
	return w.Code, l
}

type listed struct {
	Total int
	Data  []struct{ Metadata map[string]string }
}

// numbers are the first and the last charge's.
func (l listed) numbers() string {
	if len(l.Data) == 0 {
		return "none"
	}
	return l.Data[0].Metadata["n"] + " to " + l.Data[len(l.Data)-1].Metadata["n"]
}

func TestListsChargesByTime(t *testing.T) {
	const many = 20_000
	s := crowd(many)
	for _, c := range []struct {
		query   string
		numbers string
		count   int
		total   int
	}{
		{"", "0 to 19", 20, many},
		{"limit=100&offset=19950", "19950 to 19999", 50, many},
		{"limit=3&order=reverse_chronological&offset=1", "19998 to 19996", 3, many},
		{"from=2023-11-16T15:00:10Z&to=2023-11-16T15:00:11Z&limit=1", "10000 to 10000", 1, 2000},
		{"from=2023-11-17T00:00:10%2B09:00&limit=2", "10000 to 10001", 2, many - 10_000},
		{"from=2030-01-01T00:00:00Z", "none", 0, 0},
		{"from=2023-11-16T15:00:11Z&to=2023-11-16T15:00:10Z", "none", 0, 0},
		{"offset=1000000", "none", 0, many},
	} {
		status, l := list(t, s, c.query)
		if status != http.StatusOK || len(l.Data) != c.count || l.Total != c.total || l.numbers() != c.numbers {
			t.Errorf("%s: %d, %d of %d, %s", c.query, status, len(l.Data), l.Total, l.numbers())
		}
	}
	for _, query := range []string{
		"limit=101", "limit=0", "offset=-1", "order=newest", "from=yesterday", "form=2023-01-01T00:00:00Z", "limit=1&limit=2",
	} {
		if status, _ := list(t, s, query); status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, status)
		}
	}
}

// TestAClockSetBack keeps the list in the order of time.
func TestAClockSetBack(t *testing.T) {
	s := NewServer(Options{})
	for n, offset := range []time.Duration{0, -time.Hour, time.Second, -time.Hour} {
		at := time.Date(2023, 11, 16, 15, 0, 0, 0, time.UTC).Add(offset)
		s.shelf.addCharge(&heldCharge{
			source: s.shelf.addSource(payer{}, false, at), metadata: map[string]string{"n": fmt.Sprint(n)}, createdAt: at, expiresAt: at,
		})
	}
	if _, l := list(t, s, ""); l.Data[0].Metadata["n"] != "1" || l.Data[1].Metadata["n"] != "3" || l.Data[3].Metadata["n"] != "2" {
		t.Errorf("listed %v", l.Data)
	}
}

// BenchmarkList shows that a page costs the same however many charges there
// are.
func BenchmarkList(b *testing.B) {
	for _, many := range []int{1000, 100_000} {
		s := crowd(many)
		b.Run(fmt.Sprint(many), func(b *testing.B) {
			for b.Loop() {
				list(b, s, "limit=100&from=2023-11-16T15:00:00Z&order=reverse_chronological")
			}
		})
	}
}
