package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/net/dns/dnsmessage"
)

// scriptNameServer is the address of the name server that konbill asks in
// scripts. Without one it finds nobody to ask.
const scriptNameServer = "SCRIPT_NAME_SERVER"

// nameServer is a name server on loopback that knows text records.
type nameServer struct {
	conn net.PacketConn

	mu    sync.Mutex
	texts map[string][]string // by name, in lower case, without the dot at its end
}

// startNameServer starts one for the sender of scripts, whose domain is in
// order.
func startNameServer() (*nameServer, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &nameServer{conn: conn, texts: map[string][]string{
		"sakura.example":        {"v=spf1 mx -all", "some-site-verification=1"},
		"_dmarc.sakura.example": {"v=DMARC1; p=quarantine"},
	}}
	go s.serve() // until the connection is closed
	return s, nil
}

func (s *nameServer) serve() {
	packet := make([]byte, 4096)
	for {
		n, from, err := s.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		if answer, err := s.answer(packet[:n]); err == nil {
			s.conn.WriteTo(answer, from)
		}
	}
}

// answer is what is known of a name: its records, or that there is no such name.
func (s *nameServer) answer(packet []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil || len(m.Questions) != 1 {
		return nil, errors.New("not one question")
	}
	question := m.Questions[0]
	s.mu.Lock()
	texts, known := s.texts[strings.ToLower(strings.TrimSuffix(question.Name.String(), "."))]
	s.mu.Unlock()
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, text := range texts {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 1},
			Body:   &dnsmessage.TXTResource{TXT: inPieces(text)},
		})
	}
	return m.Pack()
}

// inPieces cuts a text into strings of at most 255 bytes (RFC 1035 section 3.3).
func inPieces(text string) []string {
	var pieces []string
	for len(text) > 255 {
		pieces = append(pieces, text[:255])
		text = text[255:]
	}
	return append(pieces, text)
}

// publish sets the text records of a name; without any, it is no name.
func (s *nameServer) publish(name string, texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.texts[name] = texts; len(texts) == 0 {
		delete(s.texts, name)
	}
}

// resolverAt asks the name server at an address, and nobody else.
func resolverAt(address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		if address == "" {
			return nil, errors.New("this script has no name server")
		}
		return new(net.Dialer).DialContext(ctx, "udp", address)
	}}
}

// publishInScript sets the text records of a name: publish sakura.example
// 'v=spf1 mx -all'. A record may be that of a file: @record.txt.
func publishInScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: publish NAME [TEXT|@FILE]...")
	}
	texts := args[1:]
	for i, text := range texts {
		if file, isFile := strings.CutPrefix(text, "@"); isFile {
			texts[i] = strings.TrimSpace(ts.ReadFile(file))
		}
	}
	peersOf(ts).names.publish(args[0], texts...)
}
