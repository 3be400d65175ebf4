//go:build unix

package screenshot_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/postrider/postrider/internal/screenshot"
)

func init() {
	// hangs starts a child that never ends, and neither does it.
	fakes["hangs"] = func([]string) int {
		child := exec.CommandContext(context.Background(), filepath.Join(filepath.Dir(os.Args[0]), "child"))
		if err := child.Run(); err != nil {
			return 1
		}
		return 0
	}
	// child says in a pipe that it is there, and waits for what never comes.
	fakes["child"] = func([]string) int {
		pipe, err := os.OpenFile(filepath.Join(filepath.Dir(os.Args[0]), "pipe"), os.O_WRONLY, 0)
		if err != nil {
			return 1
		}
		pipe.WriteString("here\n") //nolint:errcheck // the test notices
		never := make(chan os.Signal, 1)
		signal.Notify(never, syscall.SIGUSR1)
		<-never
		return 0
	}
}

// TestDrawEnds ends a browser that hangs, and the children that it has started.
func TestDrawEnds(t *testing.T) {
	b, dir := fake(t, "hangs")
	if err := os.Symlink("hangs", filepath.Join(dir, "child")); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	failure := make(chan error, 1)
	go func() {
		_, err := b.Draw(ctx, screenshot.Page{})
		failure <- err
	}()
	pipe, err := os.Open(name) // once the child is there
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	here := make([]byte, 5)
	if _, err := io.ReadFull(pipe, here); err != nil || string(here) != "here\n" {
		t.Fatalf("%q, %v", here, err)
	}
	cancel(errors.New("it takes too long"))
	if err := <-failure; err == nil || !strings.Contains(err.Error(), "it takes too long") {
		t.Errorf("%v", err)
	}
	if rest, err := io.ReadAll(pipe); err != nil || len(rest) > 0 { // which has an end when the child has
		t.Errorf("%q, %v", rest, err)
	}
}
