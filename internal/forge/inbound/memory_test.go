package inbound

import (
	"encoding/binary"
	"testing"
	"time"
)

func TestMemoryIsBounded(t *testing.T) {
	m := memory{keep: time.Hour}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	nth := func(i int) mark {
		var k mark
		binary.BigEndian.PutUint64(k[:], uint64(i))
		return k
	}
	for i := range 5 * most {
		if m.before(now, []mark{nth(i)}) {
			t.Fatalf("mark %d is known before it came", i)
		}
		if n := len(m.old) + len(m.new); n > 2*most {
			t.Fatalf("%d marks are remembered, want at most %d", n, 2*most)
		}
	}
	for i := 4 * most; i < 5*most; i++ { // the last ones are all there
		if !m.before(now, []mark{nth(i)}) {
			t.Fatalf("mark %d was forgotten", i)
		}
	}
}

func TestMemoryForgets(t *testing.T) {
	m := memory{keep: time.Hour}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		after time.Duration
		mark  byte
		known bool
	}{
		{0, 1, false},
		{59 * time.Minute, 2, false},
		{60 * time.Minute, 1, true}, // a generation older
		{118 * time.Minute, 2, true},
		{121 * time.Minute, 1, false}, // forgotten with its generation
		{-time.Hour, 1, true},         // a clock that was set back
		{400 * time.Minute, 1, false},
	} {
		if got := m.before(now.Add(step.after), []mark{{step.mark}}); got != step.known {
			t.Errorf("%s later: mark %d is known: %v, want %v", step.after, step.mark, got, step.known)
		}
	}
}
