package inbox

import (
	"os"
	"testing"
)

// TestFinishedAreThoseStaffStillLookAt: results are brought up to date only
// where staff have kept them.
func TestFinishedAreThoseStaffStillLookAt(t *testing.T) {
	b := openTest(t, Options{})
	for _, name := range []string{"kept.csv", "cleared.csv", "emptied.csv"} {
		f := b.claimNew(name, "x")
		b.mkdir("working", f.ID, "left")
		b.drop("working/"+f.ID+"/left/results", "old")
		if _, err := f.Publish(b.at("working", f.ID, "left", "results"), ""); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Done(); err != nil {
			t.Fatal(err)
		}
		switch name {
		case "cleared.csv":
			b.remove("outbox/" + f.ID + ".results.csv")
		case "emptied.csv":
			b.remove("done/" + f.ID + "/" + name)
		}
	}
	b.claimNew("working.csv", "x")

	files, err := b.Finished()
	if err != nil || len(files) != 1 || files[0].Name != "kept.csv" || files[0].Path != b.at("done", files[0].ID, "kept.csv") {
		t.Fatalf("finished: %+v, %v", files, err)
	}
	b.drop("done/"+files[0].ID+"/left/results", "new")
	if err := files[0].Update(b.at("done", files[0].ID, "left", "results")); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(b.at("outbox", files[0].ID+".results.csv")); err != nil || string(data) != "new" {
		t.Errorf("the outbox has %q, %v", data, err)
	}
}

// TestMemoryOutlivesTheProcess: what is remembered is there for the next one,
// and nothing takes it for a file.
func TestMemoryOutlivesTheProcess(t *testing.T) {
	b := openTest(t, Options{})
	if data, err := b.Remembered(); err != nil || data != nil {
		t.Errorf("remembered from nowhere: %q, %v", data, err)
	}
	for _, text := range []string{"one", "two"} {
		if err := b.Remember([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	next := reopen(t, b.folder, Options{})
	if data, err := next.Remembered(); err != nil || string(data) != "two" {
		t.Errorf("remembered: %q, %v", data, err)
	}
	if files, err := next.Unfinished(); err != nil || len(files) != 0 {
		t.Errorf("unfinished: %+v, %v", files, err)
	}
	for range 2 {
		if err := next.Forget(); err != nil {
			t.Error(err)
		}
	}
	if data, err := next.Remembered(); err != nil || data != nil {
		t.Errorf("not forgotten: %q, %v", data, err)
	}
}
