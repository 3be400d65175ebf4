package x

import (
	"net/url"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/secret"
)

// TestSignature follows https://docs.x.com/fundamentals/authentication/oauth-1-0a/creating-a-signature (2026-08-22).
func TestSignature(t *testing.T) {
	access := oauth1{
		key: secret.New("xvz1evFS4wEEPTGEFPHBog"), keySecret: secret.New("kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw"),
		token: secret.New("370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"), tokenSecret: secret.New("LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"),
	}
	u, err := url.Parse("https://api.x.com/1.1/statuses/update.json?include_entities=true")
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"status": {"Hello Ladies + Gentlemen, a signed OAuth request!"}}
	got := access.header("POST", u, form, "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", time.Unix(1318622958, 0))
	want := `OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", oauth_nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", ` +
		`oauth_signature_method="HMAC-SHA1", oauth_timestamp="1318622958", oauth_token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", ` +
		`oauth_version="1.0", oauth_signature="Ls93hJiZbQ3akF3HF3x1Bz8%2FzU4%3D"`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestSignatureBase follows RFC 5849, sections 3.4.1.1 and 3.4.1.2.
func TestSignatureBase(t *testing.T) {
	u, err := url.Parse("http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b")
	if err != nil {
		t.Fatal(err)
	}
	protocol := [][2]string{
		{"oauth_consumer_key", "9djdj82h48djs9d2"},
		{"oauth_token", "kkk9d7dh3k39sjv7"},
		{"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", "137131201"},
		{"oauth_nonce", "7d8f3e4a"},
	}
	want := "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26" +
		"oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26" +
		"oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	if got := signatureBase("post", u, url.Values{"c2": {""}, "a3": {"2 q"}}, protocol); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for address, want := range map[string]string{
		"HTTP://EXAMPLE.COM:80/r%20v/X?id=123":     "http://example.com/r%20v/X",
		"https://www.example.net:8080/?q=1":        "https://www.example.net:8080/",
		"https://EXAMPLE.net:443":                  "https://example.net/",
		"https://api.x.com/2/users/1/tweets?a=b#c": "https://api.x.com/2/users/1/tweets",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := baseURI(u); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
