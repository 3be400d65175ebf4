package config

import (
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	const keys = "POSTRIDER_MEDIA_ACCESS_KEY_ID and POSTRIDER_MEDIA_SECRET_ACCESS_KEY"
	for name, test := range map[string]struct{ src, want string }{
		"two places": {
			`{public_url: "https://raw.example/{path}", bucket: {endpoint: "https://s3.example", name: acme-social}}`,
			"S171 1:59 the site's files have two public places, an address of each and a bucket (keep one of media.public_url and media.bucket)",
		},
		"bare": {
			"{bucket: {}}",
			"S171 1:17 the bucket's name is missing (name: acme-social, for example)\n" +
				"S171 1:17 the bucket's service is missing (endpoint: https://s3.eu-central-1.amazonaws.com, for example)",
		},
		"everything wrong": {
			`{bucket: {endpoint: s3.example, name: Acme_Social, prefix: /x, keep: 5m}}`,
			`S171 1:28-38 "s3.example" is not an address (write it with https://)` + "\n" +
				`S171 1:46-57 "Acme_Social" cannot be the name of a bucket (names have 3 to 63 of a–z, 0–9, - and ., and begin and end with a letter or digit)` + "\n" +
				`S171 1:67-69 "/x" cannot be what objects' names begin with (it is one or more folders of letters, digits, ., _ and -, with a / at the end, such as postrider/)` + "\n" +
				`S171 1:77-79 a network may still be fetching what is to be removed so soon (keep: 24h, for example; an hour at least)`,
		},
		"bucket in the endpoint": {
			`{bucket: {endpoint: "https://s3.example/acme", name: acme}}`,
			"S171 1:28-53 the address of the service has more than a host (the bucket's name belongs into name)",
		},
		"password": {
			`{bucket: {endpoint: "https://me:pw@s3.example", name: acme}}`,
			"S171 1:28-54 the address has a name or password in it (keys come from the environment: " + keys + ")\n" +
				"S114 1:37-42 this looks like an address with a password in it, which must not be in the file (secrets come from the environment, and one that was committed must be replaced)",
		},
		"path instead of key": {
			`{bucket: {endpoint: "https://s3.example", name: acme, public_url: "https://cdn.example/{path}"}}`,
			"S171 1:74-102 unknown placeholder {path} (known: key)",
		},
		"one address for all": {
			`{bucket: {endpoint: "https://s3.example", name: acme, public_url: "https://cdn.example/"}}`,
			"S171 1:74-96 the address is the same for all files (put {key} where the file's name belongs)",
		},
		"way out of the prefix": {
			`{bucket: {endpoint: "https://s3.example", name: acme, prefix: a/../b/}}`,
			`S171 1:70-77 "a/../b/" cannot be what objects' names begin with (it is one or more folders of letters, digits, ., _ and -, with a / at the end, such as postrider/)`,
		},
		"everything": {
			`{bucket: {endpoint: "https://s3.example", name: acme, prefix: ""}}`,
			`S171 1:70 "" cannot be what objects' names begin with (it is one or more folders of letters, digits, ., _ and -, with a / at the end, such as postrider/)`,
		},
		"secret": {
			`{bucket: {endpoint: "https://s3.example", name: acme, secret_access_key: hunter2-hunter2}}`,
			`S114 1:62-96 key "secret_access_key" looks like a secret, which must not be in the file (remove it and set ` + keys + ` in the environment; if it was committed, replace it)`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, found := Parse("site.yaml", []byte("media: "+test.src), registry())
			if got := lines(found); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if usable := s.Media.Bucket.Name != ""; usable != (name == "secret") {
				t.Errorf("a bucket with a finding is %+v", s.Media.Bucket)
			}
		})
	}

	src := "accounts: {x: {}}\nmedia:\n  bucket: {endpoint: http://127.0.0.1:9000, name: acme.social, region: auto, prefix: posts/2026/, public_url: \"https://cdn.example/{key}?x\", keep: 3d}\n"
	s, found := Parse("site.yaml", []byte(src), registry())
	want := Bucket{Endpoint: "http://127.0.0.1:9000", Name: "acme.social", Region: "auto", Prefix: "posts/2026/", PublicURL: "https://cdn.example/{key}?x", Keep: 72 * time.Hour}
	if len(found) > 0 || s.Media.Bucket != want || !s.Media.Public() || !s.Accounts[0].HasBucket {
		t.Errorf("findings %v, read %+v, accounts %+v", found, s.Media, s.Accounts)
	}
	if got, want := s.Media.Bucket.Address("posts/2026/ab.jpg"), "https://cdn.example/posts/2026/ab.jpg?x"; got != want {
		t.Errorf("the address is %s, want %s", got, want)
	}
	s, found = Parse("site.yaml", []byte("accounts: {x: {}}\nmedia:\n  bucket: {endpoint: https://s3.example, name: acme}\n"), registry())
	if len(found) > 0 || s.Media.Bucket.Prefix != DefaultPrefix || s.Media.Bucket.Keep != DefaultKeep {
		t.Errorf("findings %v, read %+v", found, s.Media)
	}
	if s, _ := Parse("site.yaml", []byte("accounts: {x: {}}\n"), registry()); s.Media.Public() || s.Accounts[0].HasBucket {
		t.Errorf("without a place, there is one: %+v", s.Media)
	}
}
