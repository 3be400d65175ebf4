package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestStringNeverPrints(t *testing.T) {
	const value = "hunter2-hunter2"
	wrongVerb := "%" + "d"
	s := New(value + "\n")
	type holder struct{ Token String }

	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", s, "holder", holder{s})
	marshalled, err := json.Marshal(holder{s})
	if err != nil {
		t.Fatal(err)
	}
	for how, got := range map[string]string{
		"%v": fmt.Sprintf("%v", s), "%+v": fmt.Sprintf("%+v", holder{s}), "%#v": fmt.Sprintf("%#v", holder{s}),
		"%s": fmt.Sprintf("%s", s), "%q": fmt.Sprintf("%q", s), "%x": fmt.Sprintf("%x", s), "%d": fmt.Sprintf(wrongVerb, s),
		"pointer": fmt.Sprintf("%v", &holder{s}), "json": string(marshalled), "slog": log.String(),
	} {
		if strings.Contains(got, value) || strings.Contains(got, fmt.Sprintf("%x", value)) {
			t.Errorf("%s prints the secret: %s", how, got)
		}
	}
	if s.Reveal() != value {
		t.Errorf("Reveal = %q, want the trimmed value", s.Reveal())
	}
}

func TestScrub(t *testing.T) {
	got := Scrub(`Post "https://bot:abcdef@host": abcdef refused, ab`, New("abcdef"), New("ab"), String{})
	if want := `Post "https://bot:[redacted]@host": [redacted] refused, ab`; got != want {
		t.Errorf("Scrub = %s, want %s", got, want)
	}
}
