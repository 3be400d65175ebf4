package gitrepo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReviewers(t *testing.T) {
	resi, kim := Person{"Resi", "resi@acme.example"}, Person{"Kim Doe", "kim@acme.example"}
	for _, c := range []struct {
		name, body string
		want       []Person
	}{
		{"one", "Reviewed-by: Resi <resi@acme.example>", []Person{resi}},
		{"below a text", "Why it is so.\n\nReviewed-by: Resi <resi@acme.example>\nSigned-off-by: Ada <ada@acme.example>\nreviewed-BY: Kim Doe <kim@acme.example>\n", []Person{resi, kim}},
		{"written on another system", "Why.\r\n\r\nReviewed-by: Resi <resi@acme.example>\r\n", []Person{resi}},
		{"folded", "Reviewed-by: Kim\n Doe <kim@acme.example>", []Person{kim}},
		{"picked", "Reviewed-by: Resi <resi@acme.example>\n(cherry picked from commit 0123456789)", []Person{resi}},
		{"in the midst", "Reviewed-by: Resi <resi@acme.example>\n\nThat is what the first commit said.", nil},
		{"in a sentence", "It is not so that\nReviewed-by: Resi <resi@acme.example>\nhas any meaning here", nil},
		{"no address", "Reviewed-by: Resi\nReviewed-by: <>\nReviewed-by: Kim Doe <kim>", nil},
		{"another", "Acked-by: Resi <resi@acme.example>", nil},
		{"quoted", "> Reviewed-by: Resi <resi@acme.example>", nil},
		{"begins indented", "  Reviewed-by: Resi <resi@acme.example>", nil},
		{"nothing", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			info := CommitInfo{Body: c.body}
			if diff := cmp.Diff(c.want, info.Reviewers()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzTrailers(f *testing.F) {
	f.Add("Why.\n\nReviewed-by: Resi <resi@acme.example>\n folded")
	f.Add("a:\n\tb\n(cherry picked from commit x)")
	f.Fuzz(func(t *testing.T, body string) {
		c := CommitInfo{Body: body}
		for _, x := range c.Trailers() {
			if !trailerKey(x.Key) || strings.Contains(x.Value, "\n") {
				t.Errorf("%q has the trailer %q", body, x)
			}
		}
		for _, p := range c.Reviewers() {
			if !strings.Contains(p.Email, "@") {
				t.Errorf("%q is reviewed by %q", body, p)
			}
		}
	})
}
