package ledger

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func toldSample() Told {
	return Told{Issue: "c0ffee", Items: []ToldItem{
		{What: "failed", Post: "a", Account: "x", Since: t0, Channels: map[string]Telling{"team": {At: t0, Run: "r", Until: t0.Add(time.Minute)}}},
		{What: "unknown", Post: "a", Account: "x", Occurrence: "20261201T080000Z", Since: t0},
		{What: "attention", Since: t0},
	}}
}

func TestTold(t *testing.T) {
	want := toldSample()
	got, err := DecodeTold(EncodeTold(want))
	if err != nil {
		t.Fatal(err)
	}
	want.Items = []ToldItem{want.Items[1], want.Items[2], want.Items[0]} // sorted by id: "a+…", "@", "a@…"
	want.Items[0], want.Items[1] = want.Items[1], want.Items[0]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if i := got.Item("failed", ID{Post: "a", Account: "x"}); i == nil || !i.Channels["team"].At.Equal(t0) {
		t.Errorf("%+v", i)
	}
	if i := got.Item("held", ID{Post: "a", Account: "x"}); i != nil {
		t.Errorf("%+v, of which nobody was told", i)
	}
	if b := EncodeTold(Told{}); b != nil {
		t.Errorf("a file that tells nothing: %q", b)
	}
	for _, bad := range []string{"", "[]", `{"items":[{"post":"a"}]}`, `{"items":[{"what":"failed","since":"99999-01-01T00:00:00Z"}]}`} {
		if _, err := DecodeTold([]byte(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzDecodeTold(f *testing.F) {
	f.Add(EncodeTold(toldSample()))
	f.Add([]byte(`{"items":[{"what":"failed","channels":{"a":{"at":"2026-12-01T00:00:00Z"}}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		told, err := DecodeTold(b)
		if err != nil {
			return
		}
		again := EncodeTold(told)
		if again == nil {
			return
		}
		back, err := DecodeTold(again)
		if err != nil || !bytes.Equal(EncodeTold(back), again) {
			t.Errorf("%q is written as %q, which is read as something else (%v)", b, again, err)
		}
	})
}
