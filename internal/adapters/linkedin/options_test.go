package linkedin

import (
	"errors"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		change func(*Options)
		key    string // of the problem, "" for none
	}{
		{func(*Options) {}, ""},
		{func(o *Options) { o.Author = "urn:li:person:aB-c_1" }, ""},
		{func(o *Options) { o.Organization = "2414183" }, ""},
		{func(o *Options) { o.Author, o.Organization = "urn:li:organization:1", "1" }, ""},
		{func(o *Options) { o.Author = "Anna" }, "author"},
		{func(o *Options) { o.Author = "urn:li:person:" }, "author"},
		{func(o *Options) { o.Author = "urn:li:person:a/b" }, "author"},
		{func(o *Options) { o.Organization = "acme" }, "organization"},
		{func(o *Options) { o.Organization = "-1" }, "organization"},
		{func(o *Options) { o.Author, o.Organization = "urn:li:person:a", "1" }, "organization"},
		{func(o *Options) { o.Version = "" }, "version"},
		{func(o *Options) { o.Version = "2026-09" }, "version"},
		{func(o *Options) { o.Version = "202613" }, "version"},
		{func(o *Options) { o.Version = retired }, "version"},
		{func(o *Options) { o.Server = "api.linkedin.com" }, "server"},
	} {
		o := Adapter{}.Info().NewOptions().(*Options) //nolint:forcetypeassert // it is
		tt.change(o)
		problems := o.Validate()
		if tt.key == "" && len(problems) > 0 || tt.key != "" && (len(problems) != 1 || problems[0].Key != tt.key) {
			t.Errorf("%+v: got %+v, want a problem of %q", o, problems, tt.key)
		}
		_, err := Adapter{}.Open(&platform.Account{Name: "li", Options: o}, platform.Deps{
			Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New("t")},
		})
		if (err != nil) != (tt.key != "") {
			t.Errorf("%+v: Open gives %v", o, err)
		}
	}
}

func TestVersionsGrowOld(t *testing.T) {
	o := &Options{Version: "202609"}
	for now, old := range map[string]bool{"2026-11-22": false, "2027-08-31": false, "2027-09-01": true, "2029-01-01": true} {
		day, err := time.Parse(time.DateOnly, now)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.tooOld(day); (err != nil) != old || old && platform.OutcomeOf(err) != platform.Denied {
			t.Errorf("on %s: %v", now, err)
		}
	}
}

func TestAccountCaps(t *testing.T) {
	member := Adapter{}.AccountCaps(&platform.Account{Options: &Options{}})
	page := Adapter{}.AccountCaps(&platform.Account{Options: &Options{Author: "urn:li:organization:1"}})
	if member.Has(platform.CanFind) || !member.Has(platform.CanVisibility) || !page.Has(platform.CanFind) || page.Has(platform.CanVisibility) {
		t.Errorf("members can %v, pages %v", member.Names(), page.Names())
	}
}

func TestOpenWithoutOptions(t *testing.T) {
	_, err := Adapter{}.Open(&platform.Account{Name: "li"}, platform.Deps{})
	if e, ok := errors.AsType[*platform.Error](err); !ok || e.Outcome != platform.Unsent {
		t.Errorf("got %v", err)
	}
}
