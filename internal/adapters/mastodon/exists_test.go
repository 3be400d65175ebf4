package mastodon

import (
	"testing"

	"github.com/postrider/postrider/internal/platform"
)

// What a person gives as the place of a post must never be taken for the id of one that does not exist.
func TestStatusID(t *testing.T) {
	p := &publisher{}
	p.api.Base = "https://social.example"
	for in, want := range map[string]string{
		"117710015692800000":                                 "117710015692800000",
		"https://social.example/@acme/117710015692800000":    "117710015692800000",
		"https://Social.example/@acme/1177/":                 "1177",
		"https://social.example/@acme/statuses/01JX5VZ?a=b#": "01JX5VZ",
		"https://social.example/@acme":                       "",
		"https://social.example/":                            "",
		"https://other.example/@acme/1177":                   "",
		"://":                                                "",
	} {
		got, err := p.statusID("look", in)
		if got != want || (err == nil) != (want != "") || err != nil && platform.OutcomeOf(err) != platform.Rejected {
			t.Errorf("statusID(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}
