package mailer

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"konbill/samples/peertest"
)

// readByPython is what Python's email package makes of messages, which raises
// an error over everything that breaks a rule.
const readByPython = `
import base64, email, email.policy, json, sys
strict = email.policy.default.clone(raise_on_defect=True)
def box(header):
    assert not header.defects, header.defects
    return [header.addresses[0].display_name, header.addresses[0].addr_spec] if len(header.addresses) == 1 else None
def leaf(part):
    return {"Type": part.get_content_type(), "Name": part.get_filename() or "", "ID": (part["Content-ID"] or "").strip("<>"),
            "Disposition": part.get_content_disposition() or "", "Data": base64.b64encode(part.get_payload(decode=True)).decode()}
messages = []
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        message = email.message_from_binary_file(file, policy=strict)
    assert not message["Subject"].defects
    parts = list(message.walk())
    assert not any(part.defects for part in parts)
    messages.append({
        "Subject": str(message["Subject"]), "From": box(message["From"]), "To": box(message["To"]),
        "Types": [part.get_content_type() for part in parts], "Leaves": [leaf(part) for part in parts if not part.is_multipart()],
        "Body": message.get_body(("plain",)).get_content()})
print(json.dumps(messages))
`

// inPython is a message as Python sees it.
type inPython struct {
	Subject, Body string
	From, To      []string // name and address
	Types         []string
	Leaves        []struct {
		Type, Name, ID, Disposition string
		Data                        []byte
	}
}

// readWithPython has Python read messages.
func readWithPython(t *testing.T, messages ...[]byte) []inPython {
	t.Helper()
	args := []string{"-c", readByPython}
	folder := t.TempDir()
	for i, data := range messages {
		path := filepath.Join(folder, strconv.Itoa(i)+".eml")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	var read []inPython
	if err := json.Unmarshal(peertest.Run(t, "python3", args...), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestPythonReadsWhatWasComposed(t *testing.T) {
	many := bill()
	many.To, many.ToName = "a..b@docomo.ne.jp", "𠮷野家, (株) \"神\" é" // Python adds spaces to longer names
	many.Subject = strings.Repeat("長い件名𠮷é ", 30)
	many.Attachments[0].Name = "お支払いのご案内_𠮷 100%.pdf"
	many.Attachments = append(many.Attachments, Attachment{Name: "plain.csv", ContentType: "text/csv", Data: []byte("a,b\r\n")})
	alone := bill()
	alone.HTML, alone.Pictures, alone.Attachments = "", nil, nil
	messages := []Message{bill(), many, alone}
	data := make([][]byte, len(messages))
	for i, m := range messages {
		data[i] = composed(t, m).Data
	}
	for i, got := range readWithPython(t, data...) {
		m := messages[i]
		if got.Subject != m.Subject || got.Body != withCRLF(m.Text) {
			t.Errorf("%d: subject %q, text %q", i, got.Subject, got.Body)
		}
		if want := []string{m.ToName, m.To}; !reflect.DeepEqual(got.To, want) {
			t.Errorf("%d: to %q, want %q", i, got.To, want)
		}
		if want := []string{"さくら商店", "billing@sakura.example"}; !reflect.DeepEqual(got.From, want) {
			t.Errorf("%d: from %q, want %q", i, got.From, want)
		}
		files := got.Leaves[len(got.Leaves)-len(m.Attachments):]
		for j, a := range m.Attachments {
			if f := files[j]; f.Name != a.Name || f.Type != a.ContentType || f.Disposition != "attachment" || !bytes.Equal(f.Data, a.Data) {
				t.Errorf("%d: attachment %q", i, f)
			}
		}
		for j, p := range m.Pictures {
			if f := got.Leaves[2+j]; f.ID != p.ContentID || f.Type != p.ContentType || f.Disposition != "inline" || !bytes.Equal(f.Data, p.Data) {
				t.Errorf("%d: picture %q", i, f)
			}
		}
	}
}
