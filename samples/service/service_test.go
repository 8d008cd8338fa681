package service_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"konbill/samples/peertest"
)

// systemd reads the units with the options of the installed system, so this
// needs no systemd that runs.
const systemd = "systemd-analyze"

var units = []string{"konbill.service", "konbill-once.service", "konbill.timer"}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestUnitsAreUnderstood: systemd knows every section and every option. It also
// wants a program to be where a unit says, so it is given one that exists.
func TestUnitsAreUnderstood(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	args := []string{"verify", "--man=no"}
	for _, name := range units {
		path := filepath.Join(folder, name)
		text := strings.ReplaceAll(read(t, name), "/usr/local/bin/konbill", program)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	// Options that aren't understood are told of, and are no failure.
	if said := peertest.Run(t, systemd, args...); strings.Contains(string(said), folder) {
		t.Errorf("%s", said)
	}
}

// TestServicesAreHardened: systemd's own measure of exposure goes from 0 to 10
// (systemd-analyze security); beyond the threshold, in tenths, it fails.
func TestServicesAreHardened(t *testing.T) {
	for _, name := range units {
		if filepath.Ext(name) == ".service" {
			peertest.Run(t, systemd, "security", "--offline=true", "--no-pager", "--threshold=15", name)
		}
	}
}

// TestServicesDifferInWhenTheyRun, and in nothing else: what one of them may do,
// the other may.
func TestServicesDifferInWhenTheyRun(t *testing.T) {
	rights := func(unit string) string {
		_, text, found := strings.Cut(read(t, unit+".service"), "\nUser=")
		if !found {
			t.Fatalf("%s runs as nobody in particular", unit)
		}
		text, _, _ = strings.Cut(text, "\n[Install]")
		own := regexp.MustCompile(regexp.QuoteMeta("credentials/"+unit+".service/") + "|" + regexp.QuoteMeta("journalctl -u "+unit+"."))
		if n := len(own.FindAllString(text, -1)); n != 3 {
			t.Errorf("%s names itself %d times: its credentials lie in a folder of its own", unit, n)
		}
		return strings.TrimSpace(own.ReplaceAllString(text, ""))
	}
	if rights("konbill") != rights("konbill-once") {
		t.Error("konbill.service and konbill-once.service differ behind User=")
	}
}

// TestTimerMeansTwoAtNightInJapan, whatever the machine's own timezone is.
func TestTimerMeansTwoAtNightInJapan(t *testing.T) {
	calendar := regexp.MustCompile(`(?m)^OnCalendar=(.+)$`).FindStringSubmatch(read(t, "konbill.timer"))
	if calendar == nil {
		t.Fatal("the timer has no calendar")
	}
	said := peertest.Run(t, systemd, "calendar", "--base-time=2026-12-01 00:00:00 UTC", calendar[1])
	if !regexp.MustCompile(`2026-12-01 17:00:00 UTC`).Match(said) { // 2 December, 02:00 in Japan
		t.Errorf("%s", said)
	}
}

// TestTaskIsWhatWindowsReads: the elements without which Windows would stop the
// task, start a second one, or run it only while somebody is logged on.
func TestTaskIsWhatWindowsReads(t *testing.T) {
	text := read(t, "konbill.xml")
	if strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 }) || strings.Contains(text, "encoding=") {
		t.Error("the task is read by programs that disagree about encodings: ASCII alone, and none named")
	}
	wellFormed(t, text)
	var task struct {
		XMLName xml.Name `xml:"http://schemas.microsoft.com/windows/2004/02/mit/task Task"`
		Version string   `xml:"version,attr"`
		Boot    struct {
			Enabled bool `xml:"Enabled"`
		} `xml:"Triggers>BootTrigger"`
		Principal struct {
			ID        string `xml:"id,attr"`
			LogonType string
			RunLevel  string
		} `xml:"Principals>Principal"`
		Settings struct {
			MultipleInstancesPolicy    string
			ExecutionTimeLimit         string
			DisallowStartIfOnBatteries bool
			StopIfGoingOnBatteries     bool
			Interval                   string `xml:"RestartOnFailure>Interval"`
			Count                      uint8  `xml:"RestartOnFailure>Count"` // an unsignedByte in the schema
		}
		Actions struct {
			Context          string `xml:",attr"`
			Arguments        string `xml:"Exec>Arguments"`
			WorkingDirectory string `xml:"Exec>WorkingDirectory"`
		}
	}
	if err := xml.Unmarshal([]byte(text), &task); err != nil {
		t.Fatal(err)
	}
	s := task.Settings
	for want, met := range map[string]bool{
		"version 1.2":                          task.Version == "1.2",
		"a start with the machine":             task.Boot.Enabled,
		"a run without anybody logged on":      task.Principal.LogonType == "Password",
		"no administrator's rights":            task.Principal.RunLevel == "LeastPrivilege",
		"one at a time":                        s.MultipleInstancesPolicy == "IgnoreNew",
		"no limit of time":                     s.ExecutionTimeLimit == "PT0S",
		"mains or battery":                     !s.DisallowStartIfOnBatteries && !s.StopIfGoingOnBatteries,
		"a start again a minute after failing": s.Interval == "PT1M" && s.Count > 0,
		"an action of that principal":          task.Actions.Context != "" && task.Actions.Context == task.Principal.ID,
		"konbill serve":                        strings.Contains(task.Actions.Arguments, `konbill.exe" serve --config `),
		"a folder to work in":                  task.Actions.WorkingDirectory != "",
	} {
		if !met {
			t.Errorf("the task lacks %s", want)
		}
	}
}

// TestWinSWServiceIsWhatItReads: without a long stoptimeout it kills konbill in
// the middle of a run.
func TestWinSWServiceIsWhatItReads(t *testing.T) {
	text := read(t, "konbill-winsw.xml")
	wellFormed(t, text)
	var service struct {
		XMLName   xml.Name `xml:"service"`
		ID        string   `xml:"id"`
		Arguments string   `xml:"arguments"`
		Stop      string   `xml:"stoptimeout"`
		OnFailure struct {
			Action string `xml:"action,attr"`
		} `xml:"onfailure"`
		Log struct {
			Mode string `xml:"mode,attr"`
		} `xml:"log"`
	}
	if err := xml.Unmarshal([]byte(text), &service); err != nil {
		t.Fatal(err)
	}
	if service.ID == "" || !strings.HasPrefix(service.Arguments, "serve --config ") || service.Stop != "15 min" ||
		service.OnFailure.Action != "restart" || service.Log.Mode != "roll-by-size" {
		t.Errorf("%+v", service)
	}
}

// wellFormed reads to the end, which Unmarshal doesn't.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
