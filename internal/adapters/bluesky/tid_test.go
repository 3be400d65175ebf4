package bluesky

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// tidSyntax is that of https://atproto.com/specs/tid; the vectors prove that it is read rightly.
var tidSyntax = regexp.MustCompile(`^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$`)

func TestTIDSyntax(t *testing.T) {
	for name, want := range map[string]bool{"tid_syntax_valid.txt": true, "tid_syntax_invalid.txt": false} {
		f, err := os.Open(filepath.Join("testdata", "interop", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		n := 0
		for lines := bufio.NewScanner(f); lines.Scan(); {
			line := lines.Text()
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			n++
			if tidSyntax.MatchString(line) != want {
				t.Errorf("%s: %q", name, line)
			}
		}
		if n == 0 {
			t.Errorf("%s is empty", name)
		}
	}
}

// micros returns the time in a TID, in microseconds since 1970.
func micros(tid string) int64 {
	var n int64
	for _, c := range tid {
		n = n<<5 | int64(strings.IndexRune(tidAlphabet, c))
	}
	return n >> 10
}

func TestRecordKey(t *testing.T) {
	at := time.Date(2026, 12, 1, 9, 0, 0, 123456789, time.FixedZone("CET", 3600))
	seen := map[string]bool{}
	for _, key := range []string{"", "a", "b", "01234567890123456789abcdef", strings.Repeat("z", 1000)} {
		last := ""
		for part := range 200 {
			tid := RecordKey(at, key, part)
			switch {
			case !tidSyntax.MatchString(tid):
				t.Fatalf("%q is not a TID", tid)
			case tid <= last:
				t.Fatalf("key %q: part %d is %q, after %q", key, part, tid, last)
			case seen[tid]:
				t.Fatalf("%q is there twice", tid)
			case tid != RecordKey(at.UTC().Truncate(time.Millisecond), key, part):
				t.Fatal("the key depends on more than the milliseconds")
			}
			if before := at.UnixMicro() - micros(tid); before < -250_000 || before > spread {
				t.Fatalf("%q is %d µs before the attempt", tid, before)
			}
			seen[tid], last = true, tid
		}
	}
	// What is stored stays: ledgers of earlier versions are found by it.
	if got, want := RecordKey(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), "01234567890123456789abcdef", 0), "3n3luzbizbxr4"; got != want {
		t.Errorf("the key of a known attempt is %q, was %q", got, want)
	}
}

func FuzzRecordKey(f *testing.F) {
	f.Add(int64(1796115600), int64(0), "key", 0)
	f.Add(int64(-1), int64(-1), "", 3)
	f.Add(int64(1)<<60, int64(1), "x", 1<<30)
	f.Fuzz(func(t *testing.T, sec, nsec int64, key string, part int) {
		if tid := RecordKey(time.Unix(sec, nsec), key, part); !tidSyntax.MatchString(tid) {
			t.Errorf("%q is not a TID", tid)
		}
	})
}
