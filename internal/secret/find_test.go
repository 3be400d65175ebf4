package secret

import (
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	for text, want := range map[string]string{ // what is found, "" for nothing
		"ghp_" + strings.Repeat("a1", 18):        "ghp_" + strings.Repeat("a1", 18),
		"AKIA" + strings.Repeat("A1", 8) + ".":   "AKIA" + strings.Repeat("A1", 8),
		"AIza" + strings.Repeat("x", 34) + "1":   "AIza" + strings.Repeat("x", 34) + "1",
		"glpat-" + strings.Repeat("x1", 10):      "glpat-" + strings.Repeat("x1", 10),
		"(xoxb-123456789012-abcdefghijkl)":       "xoxb-123456789012-abcdefghijkl",
		"sk-ant-" + strings.Repeat("x1", 20):     "sk-ant-" + strings.Repeat("x1", 20),
		"nsec1" + strings.Repeat("q7", 29):       "nsec1" + strings.Repeat("q7", 29),
		"SG." + strings.Repeat("a1", 33):         "SG." + strings.Repeat("a1", 33),
		"EAAB" + strings.Repeat("x1", 60):        "EAAB" + strings.Repeat("x1", 60),
		"IGAA" + strings.Repeat("x1", 60):        "IGAA" + strings.Repeat("x1", 60),
		"THAA" + strings.Repeat("x1", 60):        "THAA" + strings.Repeat("x1", 60),
		"AQ" + strings.Repeat("x1", 150):         "AQ" + strings.Repeat("x1", 150),
		"eyJ0eXAiOi" + strings.Repeat("x1.", 20): "eyJ0eXAiOi" + strings.Repeat("x1.", 19) + "x1",
		"-----BEGIN OPENSSH PRIVATE KEY-----\r\nabc\r\n-----END OPENSSH PRIVATE KEY-----\r\nHi": "-----BEGIN OPENSSH PRIVATE KEY-----\r\nabc\r\n-----END OPENSSH PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\nabc":                                                       "-----BEGIN PRIVATE KEY-----",
		"log in with ab2d-efgh-ijkl-mnop, then":                                                  "ab2d-efgh-ijkl-mnop",
		"token 1234567890-" + strings.Repeat("aB1x", 10) + " it is":                              "1234567890-" + strings.Repeat("aB1x", 10),
		"bot123456789:AA" + strings.Repeat("x1_", 11):                                            "123456789:AA" + strings.Repeat("x1_", 11),
		"https://api.telegram.org/bot123456789:AA" + strings.Repeat("x1_", 11) + "/getMe":        "123456789:AA" + strings.Repeat("x1_", 11),
		"https://eve:hunter2@acme.example/x":                                                     "eve:hunter2",
		"https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/" + strings.Repeat("x1", 12) + " ": "hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/" + strings.Repeat("x1", 12),
		"https://discord.com/api/webhooks/123456789012345678/" + strings.Repeat("x1-_", 17):      "discord.com/api/webhooks/123456789012345678/" + strings.Repeat("x1-_", 17),

		"AKIAMARTINDALE":       "",
		"AKIAIOSFODNN7EXAMPLE": "", // of Amazon's own documentation
		"ghp_short1":           "",
		"sk_live_and_let_live_is_what_we_say_here":                                  "",
		"-----BEGIN CERTIFICATE-----":                                               "",
		"https://acme.example/AKIA/gho_/" + strings.Repeat("long-address-", 9):      "",
		"this-that-here-then":                                                       "", // words
		"4242-4242-4242-4242":                                                       "", // a card of those that shops are tried with
		"2026-11-22-0900-abcd":                                                      "",
		"550e8400-e29b-41d4-a716-446655440000":                                      "",
		"1234567890-the-long-slug-of-an-article-about-sleds-2026":                   "",
		"https://mastodon.example/@eve:home":                                        "",
		"https://eve@acme.example":                                                  "",
		"https://user:password@acme.example":                                        "",
		"https://eve:$PASSWORD@acme.example":                                        "",
		"https://eve:***@acme.example":                                              "",
		"https://acme.example:8080/@eve":                                            "",
		"see https://discord.com/api/webhooks and https://hooks.slack.com/services": "",
		"at 12345678:" + strings.Repeat("a", 35):                                    "",
	} {
		got := ""
		Find(text, func(start, end int, what string) {
			if what == "" {
				t.Errorf("%q is found, and not said what it is", text)
			}
			got += text[start:end]
		})
		if got != want {
			t.Errorf("in %q found %q, want %q", text, got, want)
		}
		if masked := Mask(text); want != "" && (strings.Contains(masked, want) || !strings.Contains(masked, Redacted)) || want == "" && masked != text {
			t.Errorf("Mask(%q) = %q", text, masked)
		}
	}
}

func TestKey(t *testing.T) {
	for key, want := range map[string]bool{
		"password": true, "app_password": true, "token": true, "accessToken": true, "API-KEY": true, "apiKey": true, "key": true, "secret": true,
		"client_secret": true, "auth": true, "privateKey": true, "nsec": true, "pass": true,
		"monkey": false, "handle": false, "keyboard": false, "server": false, "platform": false, "author": false, "compass": false, "token_expires": false,
	} {
		if got := Key(key); got != want {
			t.Errorf("Key(%q) = %t", key, got)
		}
	}
}

func TestLine(t *testing.T) {
	for line, want := range map[string]bool{
		"  fedi: {platform: mastodon, access_token: abc": true, "'api-key'='x": true, "token: [a": true, "title: ab2d-efgh-ijkl-mnop": true,
		"token_expires: 2027-01-21": false, "title: The monkey": false, "": false,
	} {
		if got := Line(line); got != want {
			t.Errorf("Line(%q) = %t", line, got)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("The ghp_0a1B0a1B0a1B0a1B0a1B0a1B0a1B0a1B0a1B sled")
	f.Add("-----BEGIN RSA PRIVATE KEY-----\r\n-----END ")
	f.Add("https://a:b@c.d 123456:AAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1 https://hooks.slack.com/services/T0/B0/xxxxxxxxxxxxxxxxxxxx")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		Find(text, func(start, end int, what string) {
			if start < last || end > len(text) || start >= end || what == "" {
				t.Errorf("a secret at %d–%d of %d, behind one that ends at %d", start, end, len(text), last)
			}
			last = end
		})
		Mask(text)
		Line(text)
		Key(text)
	})
}
