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
	micros, lines := x.Adapter{}.Cost(r, &platform.Account{})
	want := []platform.CostLine{
		{What: "2 posts", Micros: 30_000},
		{What: "2 posts with links", Micros: 400_000},
		{What: "2 descriptions of pictures", Micros: 10_000},
	}
	if diff := cmp.Diff(want, lines); diff != "" || micros != 440_000 {
		t.Errorf("%d (-want +got):\n%s", micros, diff)
	}
	if micros, lines := (x.Adapter{}).Cost(says("Hello."), &platform.Account{}); micros != 15_000 || len(lines) != 1 || lines[0].What != "1 post" {
		t.Errorf("%d, %+v", micros, lines)
	}
}
