package forge

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShown(t *testing.T) {
	const patch = "@@ -1,3 +1,4 @@ heading\n one\n-two\n+2\n+2b\n three\n@@ -10 +11,2 @@\n-old\n+ new\n\n\\ No newline at end of file\n"
	want := diff{1: {"one", 1}, 2: {"2", 0}, 3: {"2b", 0}, 4: {"three", 3}, 11: {" new", 0}, 12: {"", 11}}
	if d := cmp.Diff(want, shown(patch), cmp.AllowUnexported(diffLine{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWithin(t *testing.T) {
	d := shown("@@ -1,2 +1,3 @@\n one\n+two\n three\n")
	for _, c := range []struct {
		s    Suggestion
		want bool
	}{
		{Suggestion{First: 2, Last: 2, Old: "two"}, true},
		{Suggestion{First: 1, Last: 3, Old: "one\ntwo\nthree"}, true},
		{Suggestion{First: 2, Last: 2, Old: "2"}, false}, // the end of the branch has another line there
		{Suggestion{First: 3, Last: 4, Old: "three\nfour"}, false},
		{Suggestion{First: 2, Last: 3, Old: "two"}, false},
		{Suggestion{}, false},
	} {
		if got := c.s.within(d); got != c.want {
			t.Errorf("%+v: %t", c.s, got)
		}
	}
}

func FuzzShown(f *testing.F) {
	f.Add("@@ -1,3 +1,4 @@\n one\n-two\n+2\n")
	f.Add("@@ -999999999999999999999 +1 @@\n+x")
	f.Add("@@ -1 +0,0 @@\n-x\n")
	f.Fuzz(func(t *testing.T, patch string) {
		if n := len(shown(patch)); n > strings.Count(patch, "\n")+1 {
			t.Errorf("%d lines of %q", n, patch)
		}
	})
}
