//go:build unix

package preview

import (
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
)

// TestAPipeIsNoPicture opens a pipe that nobody writes into: who waits for its writer waits for ever.
func TestAPipeIsNoPicture(t *testing.T) {
	dir := folder(t, small())
	write(t, dir, "templates/preview/empty.html", "")
	for _, name := range []string{"content/pipe.png", "templates/preview/pipe.html"} {
		if err := syscall.Mkfifo(filepath.Join(dir, filepath.FromSlash(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := start(t, dir, nil)
	if p := r.get("/media/content/pipe.png"); p.status != http.StatusNotFound {
		t.Errorf("%d", p.status)
	}
	r.page("/posts")
}
