package platform

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUSD(t *testing.T) {
	for _, test := range []struct {
		text string
		want USD
		out  string // how it is written; "" when it is refused
	}{
		{"25", 25 * dollar, "$25.00"},
		{"25 USD", 25 * dollar, "$25.00"},
		{"25USD", 25 * dollar, "$25.00"},
		{"$25", 25 * dollar, "$25.00"},
		{" 12.5 ", 12_500_000, "$12.50"},
		{"0.215", 215_000, "$0.215"},
		{"0.000001", 1, "$0.000001"},
		{"007.10", 7_100_000, "$7.10"},
		{"1000000000", maxUSD, "$1000000000.00"},
		{"0", 0, "$0.00"},
		{text: ""}, {text: "USD"}, {text: "$"}, {text: "."}, {text: ".5"}, {text: "5."}, {text: "-5"}, {text: "+5"}, {text: "1,000"}, {text: "1_000"}, {text: "1e3"}, {text: "25 EUR"}, {text: "$25 USD"},
		{text: "0x10"}, {text: "1.2.3"}, {text: "0.0000001"}, {text: "1000000000.01"}, {text: "99999999999999999999"}, {text: "٢٥"},
	} {
		got, err := ParseUSD(test.text)
		if (err == nil) != (test.out != "") || got != test.want {
			t.Errorf("%q: %d, %v", test.text, got, err)
		}
		if err == nil && got.String() != test.out {
			t.Errorf("%q is written %s, want %s", test.text, got, test.out)
		}
	}
	if got := USD(-1_500_000).String(); got != "-$1.50" {
		t.Error(got)
	}
}

func FuzzParseUSD(f *testing.F) {
	for _, s := range []string{"25", "$25", "25 USD", "12.50", "0.000001", "1,000", "-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseUSD(s)
		if err != nil {
			return
		}
		if again, err := ParseUSD(u.String()); err != nil || again != u || u < 0 {
			t.Errorf("%q: %d is written %s, which is read as %d, %v", s, u, u, again, err)
		}
	})
}

func TestCost(t *testing.T) {
	post, link := Price{One: "post", Many: "posts", USD: 15_000}, Price{One: "post with a link", Many: "posts with links", USD: 200_000}
	sum := Sum(post.Of(1), link.Of(1), nil, post.Of(2), link.Of(0))
	if diff := cmp.Diff("3 posts, 1 post with a link", sum.String()); diff != "" || sum.Total() != 245_000 {
		t.Errorf("%s (-want +got):\n%s", sum.Total(), diff)
	}
	if none := Sum(); none != nil || none.Total() != 0 || none.String() != "" {
		t.Errorf("%v", none)
	}
}
