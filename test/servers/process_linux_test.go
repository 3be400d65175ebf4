package servers

import (
	"bufio"
	"context"
	"testing"
)

// No server survives a test process that has no time to stop it: a panic, a timeout, kill -9.
func TestProcessDiesWithParent(t *testing.T) {
	h := newHome(t)
	p, err := childProgram(t.TempDir(), h.Addr().String(), "parent").start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]*bufio.Reader{}
	for range 2 {
		mode, conn := h.call(t)
		calls[mode] = conn
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"parent", "server"} {
		if _, err := calls[mode].ReadByte(); err == nil {
			t.Errorf("%s still lives", mode)
		}
	}
}

// A server that is stopped takes along what it has started.
func TestProcessEndsItsGroup(t *testing.T) {
	h := newHome(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	p, err := childProgram(t.TempDir(), h.Addr().String(), "litters").start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]*bufio.Reader{}
	for range 2 {
		mode, conn := h.call(t)
		calls[mode] = conn
	}
	stop()
	<-p.ended
	for _, mode := range []string{"litters", "stubborn"} {
		if _, err := calls[mode].ReadByte(); err == nil {
			t.Errorf("%s still lives", mode)
		}
	}
}
