package platform_test

import (
	"errors"
	"testing"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

type options struct {
	Server string `yaml:"server"`
}

func (o *options) Validate() []platform.OptionProblem {
	if o.Server == "" {
		return []platform.OptionProblem{{Key: "server", Message: "there is none", Hint: "server: https://acme.example"}}
	}
	return nil
}

func TestOptionsOf(t *testing.T) {
	want := &options{Server: "https://acme.example"}
	if got, err := platform.OptionsOf[options](&platform.Account{Options: want}); err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	for name, o := range map[string]any{"another type": &struct{}{}, "none": nil, "refused": &options{}} {
		_, err := platform.OptionsOf[options](&platform.Account{Options: o})
		e, ok := errors.AsType[*platform.Error](err)
		if !ok || e.Outcome != platform.Unsent || e.Op != "open" || e.Message == "" {
			t.Errorf("%s: %v", name, err)
		}
		if name == "refused" && (e.Message != "server: there is none" || e.Hint == "") {
			t.Errorf("%s: %q, hint %q", name, e.Message, e.Hint)
		}
	}
}

func TestSecret(t *testing.T) {
	d := platform.Deps{Secrets: map[string]secret.String{"TOKEN": secret.New("s3cret")}}
	if s, err := d.Secret(&platform.Account{Name: "acme"}, "TOKEN", "access token"); err != nil || s.Reveal() != "s3cret" {
		t.Errorf("got %v, %v", s, err)
	}
	_, err := d.Secret(&platform.Account{Name: "acme-news"}, "OTHER", "signing secret")
	e, ok := errors.AsType[*platform.Error](err)
	if !ok || e.Outcome != platform.Denied || e.Message != "there is no signing secret" || e.Hint != "set POSTRIDER_ACME_NEWS_OTHER" {
		t.Errorf("got %v", err)
	}
}

func TestCannotEdit(t *testing.T) {
	err := platform.CannotEdit("edit post", "it had %d parts", 2)
	if !errors.Is(err, platform.ErrCannotEdit) || platform.OutcomeOf(err) != platform.Rejected {
		t.Errorf("got %v", err)
	}
	if want := "edit post: the network cannot change this after publishing: it had 2 parts"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if e := platform.AsError(errors.New("x")); e.Outcome != platform.Unknown {
		t.Errorf("got %v", e.Outcome)
	}
}
