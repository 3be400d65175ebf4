package finding

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// fixOf returns the fix of what stands in a text, which it must do once.
func fixOf(t *testing.T, src, old, new string) Fix {
	t.Helper()
	l := NewLocator([]byte(src))
	at := bytes.Index([]byte(src), []byte(old))
	f, ok := l.Replace(l.Range(at, at+len(old)), new, "write "+new)
	if !ok {
		t.Fatalf("no fix for %q in %q", old, src)
	}
	return f
}

func TestApply(t *testing.T) {
	const src = "é: one two\ntwo three\r\nfour"
	one, two, over, last := fixOf(t, src, "one", "1"), fixOf(t, src, "two\ntwo", "2\n2"), fixOf(t, src, "two", "II"), fixOf(t, src, "four", "4\n")
	stale := one
	stale.Old = "ones"
	insert := Fix{Text: "insert", Range: Range{Pos{2, 5}, Pos{2, 5}}, New: "and "}
	for name, test := range map[string]struct {
		fixes []Fix
		want  string
		done  int
	}{
		"none":                           {nil, src, 0},
		"in any order":                   {[]Fix{last, one}, "é: 1 two\ntwo three\r\n4\n", 2},
		"of two that overlap, the first": {[]Fix{two, over, one}, "é: 1 2\n2 three\r\nfour", 2},
		"once":                           {[]Fix{one, one}, "é: 1 two\ntwo three\r\nfour", 1},
		"put in":                         {[]Fix{insert, insert}, "é: one two\ntwo and three\r\nfour", 1},
		"put in before what is replaced": {[]Fix{fixOf(t, src, "three", "3"), insert}, "é: one two\ntwo and 3\r\nfour", 2},
		"not what it says":               {[]Fix{stale, last}, "é: one two\ntwo three\r\n4\n", 1},
		"not there":                      {[]Fix{{Text: "x", Range: Range{Pos{9, 1}, Pos{9, 1}}, New: "x"}, {Text: "x", Range: Range{Pos{1, 99}, Pos{1, 99}}, New: "x"}, {}}, src, 0},
	} {
		t.Run(name, func(t *testing.T) {
			out, done := Apply([]byte(src), test.fixes)
			if string(out) != test.want || len(done) != test.done {
				t.Errorf("%q with %d, want %q with %d", out, len(done), test.want, test.done)
			}
		})
	}
}

func TestLocatorFix(t *testing.T) {
	l := NewLocator([]byte("a: [blueski, x]\nblueski blueski\nmy-blueski\n"))
	for line, want := range map[int]bool{1: true, 2: false, 3: false, 4: false, 9: false, 0: false} {
		if f, ok := l.Fix(Range{Start: Pos{Line: line, Column: 1}}, "blueski", "bluesky"); ok != want || ok && f.Range != (Range{Pos{1, 5}, Pos{1, 12}}) {
			t.Errorf("line %d: %v, %t", line, f, ok)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add("é: one\r\ntwo", 1, 4, "one", "two")
	f.Add("\ufeff---\n", 1, 1, "\ufeff", "")
	f.Fuzz(func(t *testing.T, src string, line, column int, old, with string) {
		if !utf8.ValidString(src) || !utf8.ValidString(old) || !utf8.ValidString(with) {
			return // such a file has a finding that it is no text, and no other
		}
		l := NewLocator([]byte(src))
		fix, ok := l.Fix(Range{Start: Pos{line, column}}, old, with)
		if !ok {
			return
		}
		out, done := Apply([]byte(src), []Fix{fix})
		if len(done) != 1 || len(out) != len(src)-len(old)+len(with) || !bytes.Contains(out, []byte(with)) {
			t.Errorf("%+v makes %q of %q", fix, out, src)
		}
	})
}
