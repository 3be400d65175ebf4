//go:build unix

package chaos_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestReleasedProgramHasNoChaosClock builds the program as everybody does: it knows nothing of what only the harness may
// decide.
func TestReleasedProgramHasNoChaosClock(t *testing.T) {
	t.Parallel()
	file, err := build(filepath.Join(t.TempDir(), "postrider"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{file: false, binary: true} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(b, []byte("POSTRIDER_CHAOS")); got != want {
			t.Errorf("%s knows the harness's variables: %v, want %v", filepath.Base(name), got, want)
		}
	}
}
