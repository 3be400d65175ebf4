package draft

import (
	"testing"

	"github.com/postrider/postrider/internal/content"
)

// Whatever the file, an id that is inserted is one line more and nothing less, and reading the file finds it, or says that
// the file cannot be read.
func FuzzInsertID(f *testing.F) {
	for _, seed := range []string{
		"", "text", "---\ntitle: a\n---\nb", "\ufeff---\r\na: b\r\n---\r\n", "+++\n+++\n", "{}\nb", "{\n\"title\": \"a\"}\n", "---", "{", "\n\n---\n---\n",
		"---\n- a\n---\n", "---\n{title: a}\n---\n", "{ }", "... \n", "----0\n---\n0",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		changed, err := insertID(src, "k3v9q2xh")
		if err != nil {
			return
		}
		cut := len(changed) - len(src)
		if cut <= 0 {
			t.Fatalf("%q becomes %q", src, changed)
		}
		head, tail := 0, 0
		for head < len(src) && src[head] == changed[head] {
			head++
		}
		for tail < len(src) && src[len(src)-1-tail] == changed[len(changed)-1-tail] {
			tail++
		}
		if head+tail < len(src) {
			t.Errorf("%q becomes %q: more than an insertion", src, changed)
		}
		before, findings := content.Parse("content/a.md", src, nil, content.Options{})
		if _, ok := unreadable(findings); ok {
			return
		}
		after, findings := content.Parse("content/a.md", changed, nil, content.Options{})
		if after.ID == "k3v9q2xh" && !before.OwnID && len(after.Body) != len(before.Body) {
			t.Errorf("%q has %d parts, %q has %d: %v", src, len(before.Body), changed, len(after.Body), findings)
		}
	})
}
