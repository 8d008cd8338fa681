package omisetest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"konbill/invoice"
)

// A list's limits.
const (
	defaultLimit = 20
	maxLimit     = 100
)

// page is which part of a list is asked for.
type page struct {
	from, to      time.Time
	offset, limit int
	order         string
}

const (
	chronological        = "chronological"
	reverseChronological = "reverse_chronological"
)

func (s *Server) listCharges(c call) reply {
	now := s.now()
	part, wrong := readPage(c.query, now)
	if len(wrong) > 0 {
		return refuse(http.StatusBadRequest, "bad_request", wrong.sentence())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.listed(c.live, part.from, part.to)
	list := part.object("/charges")
	list.Total = len(all)
	for i := part.offset; i < min(part.offset+part.limit, len(all)); i++ {
		at := i
		if part.order == reverseChronological {
			at = len(all) - 1 - i
		}
		list.Data = append(list.Data, all[at].object(now))
	}
	return found(&list)
}

func (p page) object(location string) listObject {
	return listObject{
		Object: "list", Data: []*chargeObject{}, Limit: p.limit, Offset: p.offset, Location: location,
		Order: p.order, From: stamp(p.from), To: stamp(p.to),
	}
}

// readPage refuses what it doesn't understand, where the API may shrug: a
// client that reads lists wrongly misses charges.
func readPage(query url.Values, now time.Time) (page, faults) {
	var wrong faults
	p := page{
		from:   wrong.instant(query, "from", time.Unix(0, 0)),
		to:     wrong.instant(query, "to", now),
		offset: wrong.count(query, "offset", 0, 0, 1<<30),
		limit:  wrong.count(query, "limit", defaultLimit, 1, maxLimit),
		order:  chronological,
	}
	if query.Has("order") {
		p.order = query.Get("order")
	}
	if p.order != chronological && p.order != reverseChronological {
		wrong.add("order must be %s or %s", chronological, reverseChronological)
	}
	wrong.checkKnown(input(query), "from", "to", "offset", "limit", "order")
	return p, wrong
}

func (f *faults) instant(query url.Values, name string, otherwise time.Time) time.Time {
	if !query.Has(name) {
		return otherwise
	}
	at, err := time.Parse(time.RFC3339, query.Get(name))
	if err != nil {
		f.add("%s must be an ISO 8601 date", name)
	}
	return at
}

func (f *faults) count(query url.Values, name string, otherwise, least, most int) int {
	if !query.Has(name) {
		return otherwise
	}
	n, err := strconv.Atoi(query.Get(name))
	if err != nil || n < least || n > most {
		f.add("%s must be an integer from %d to %d", name, least, most)
	}
	return n
}

// searchPage is how many results a page of a search has.
const searchPage = 30

// search finds charges by id, or by words in their description, newest first.
// Those filters work that are of use for konbini charges.
func (s *Server) search(c call) reply {
	var wrong faults
	if c.query.Get("scope") != "charge" {
		wrong.add("scope must be charge")
	}
	number := wrong.count(c.query, "page", 1, 1, 1<<20)
	wrong.checkKnown(input(c.query), "scope", "query", "page", "filters[status]", "filters[amount]")
	if len(wrong) > 0 {
		return refuse(http.StatusBadRequest, "bad_request", wrong.sentence())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	matches := s.matches(c, now)
	result := searchObject{
		Object: "search", Order: reverseChronological, Scope: "charge", Query: c.query.Get("query"),
		Filters: filtersOf(c.query), Page: number, TotalPages: (len(matches) + searchPage - 1) / searchPage,
		Total: len(matches), Data: []*chargeObject{},
	}
	first := min((number-1)*searchPage, len(matches))
	for _, held := range matches[first:min(first+searchPage, len(matches))] {
		result.Data = append(result.Data, held.object(now))
	}
	return found(&result)
}

func filtersOf(query url.Values) map[string]string {
	filters := map[string]string{}
	for name, values := range input(query).under("filters") {
		filters[name] = values[0]
	}
	return filters
}

func (s *Server) matches(c call, now time.Time) []*heldCharge {
	var matches []*heldCharge
	wanted, filters := c.query.Get("query"), filtersOf(c.query)
	for _, held := range slices.Backward(s.listed(c.live, time.Time{}, now)) {
		status, _ := held.statusAt(now)
		switch {
		case held.id != wanted && !strings.Contains(held.description, wanted):
		case filters["status"] != "" && filters["status"] != status:
		case filters["amount"] != "" && filters["amount"] != plainYen(held.amount):
		default:
			matches = append(matches, held)
		}
	}
	return matches
}

func plainYen(y invoice.Yen) string { return strconv.FormatInt(int64(y), 10) }
