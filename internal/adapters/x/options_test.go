package x_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/x"
)

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		options x.Options
		want    string // the key with a problem
	}{
		{x.Options{Server: x.DefaultServer}, ""},
		{x.Options{Server: x.DefaultServer, Handle: "Acme_1", ReplySettings: "mentionedUsers"}, ""},
		{x.Options{Server: x.DefaultServer, Handle: "@acme"}, "handle"},
		{x.Options{Server: x.DefaultServer, ReplySettings: "everyone"}, "reply_settings"},
		{x.Options{}, "server"},
		{x.Options{Server: "ftp://api.x.com"}, "server"},
	} {
		problems := tt.options.Validate()
		got := ""
		for _, p := range problems {
			got += p.Key
		}
		if got != tt.want {
			t.Errorf("%+v: %+v, want %q", tt.options, problems, tt.want)
		}
	}
}
