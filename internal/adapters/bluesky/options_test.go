package bluesky

import "testing"

func TestValidateOptions(t *testing.T) {
	tests := []struct {
		options Options
		want    string // the key with a problem
	}{
		{Options{Handle: "acme.bsky.social", Server: DefaultServer}, ""},
		{Options{Handle: "did:plc:abc", Server: "http://127.0.0.1:2583"}, ""},
		{Options{Server: DefaultServer}, "handle"},
		{Options{Handle: "@acme.bsky.social", Server: DefaultServer}, "handle"},
		{Options{Handle: "acme", Server: DefaultServer}, "handle"},
		{Options{Handle: "https://bsky.app/profile/acme.bsky.social", Server: DefaultServer}, "handle"},
		{Options{Handle: "acme.bsky.social", Server: "bsky.social"}, "server"},
		{Options{Handle: "acme.bsky.social", Server: ""}, "server"},
	}
	for _, tt := range tests {
		got := ""
		for _, p := range tt.options.Validate() {
			got += p.Key
		}
		if got != tt.want {
			t.Errorf("%+v: problems with %q, want %q", tt.options, got, tt.want)
		}
	}
}

func TestIsPost(t *testing.T) {
	for s, want := range map[string]bool{
		"at://did:plc:abc/app.bsky.feed.post/3kabc":       true,
		"https://bsky.app/profile/acme.example/post/3kab": true,
		"https://bsky.app/profile/acme.example":           false,
		"https://bsky.app/profile//post/3kab":             false,
		"https://bsky.app/profile/a/post/3kab/liked-by":   false,
		"at://did:plc:abc/app.bsky.feed.like/3kabc":       false,
		"https://x.com/acme/status/1":                     false,
		"3kabc":                                           false,
	} {
		if got := isPost(s); got != want {
			t.Errorf("isPost(%q) = %t, want %t", s, got, want)
		}
	}
}
