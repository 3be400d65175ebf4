//go:build unix

package gitrepo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// lockFile names the file whose lock a child process takes, and keeps until it is killed.
const lockFile = "GITREPO_TEST_LOCK_FILE"

func init() { children[lockFile] = lockForEver }

func lockForEver(file string) {
	l, err := takeLock(context.Background(), Options{}.withDefaults(), filepath.Dir(file), file, func() error { return nil })
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("locked")
	io.Copy(io.Discard, os.Stdin) //nolint:errcheck // until it is killed
	l.release()                   //nolint:errcheck // its parent is gone
}

// TestLockOfTheDead holds that a lock whose process was killed keeps nobody out, and that one keeps everybody out whose process lives,
// or is not known.
func TestLockOfTheDead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "shallow")
	impatient := Options{Sleep: func(context.Context, time.Duration) error { return nil }}.withDefaults()
	take := func() (*lock, error) {
		return takeLock(t.Context(), impatient, dir, file, func() error { return nil })
	}
	child := exec.Command(os.Args[0]) //nolint:noctx // it is killed below
	child.Env = append(os.Environ(), lockFile+"="+file)
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close() //nolint:errcheck // it ends the child if the test fails
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	if _, err := take(); !errors.Is(err, ErrLocked) {
		t.Errorf("while its process lives: %v, want ErrLocked", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait() //nolint:errcheck // it was killed

	// Of many who meet it at once, each gets the lock in turn, and no two have it.
	var (
		all  sync.WaitGroup
		one  sync.Mutex
		took int
	)
	for range 8 {
		all.Go(func() {
			for {
				l, err := take()
				if errors.Is(err, ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if !one.TryLock() {
					t.Error("two have the lock")
				} else {
					took++
					one.Unlock()
				}
				if err := l.release(); err != nil {
					t.Error(err)
				}
				return
			}
		})
	}
	all.Wait()
	if took != 8 {
		t.Errorf("%d of 8 had the lock", took)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}

	if err := os.WriteFile(file+".lock", nil, 0o644); err != nil { //nolint:gosec // as git makes it
		t.Fatal(err)
	}
	if _, err := take(); !errors.Is(err, ErrLocked) {
		t.Errorf("another program's lock: %v, want ErrLocked", err)
	}
	if _, err := os.Stat(file + ".lock"); err != nil {
		t.Errorf("another program's lock was removed: %v", err)
	}
}
