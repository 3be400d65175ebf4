package x_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters/x"
	"github.com/postrider/postrider/internal/platform"
)

func TestCost(t *testing.T) {
	r := says("Hello.", "See acme.com", "And https://acme.com/a", "Bye.")
	r.Parts[0].Media = []platform.Media{{MIME: "image/png", Alt: "A hill"}, {MIME: "image/png"}, {MIME: "image/png", Alt: "A sled"}}
	r.Parts[1].Media = []platform.Media{{MIME: "video/mp4", Alt: "A ride"}}
	costs := x.Adapter{}.Cost(r, &platform.Account{})
	var got []string
	for _, c := range append(costs, platform.Sum(costs...)) {
		got = append(got, c.Total().String()+": "+c.String())
	}
	want := []string{
		"$0.025: 1 post, 2 descriptions of pictures", "$0.20: 1 post with a link", "$0.20: 1 post with a link", "$0.015: 1 post",
		"$0.44: 2 posts, 2 descriptions of pictures, 2 posts with links",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
