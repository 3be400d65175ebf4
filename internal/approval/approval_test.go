package approval

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func word(by, where, fingerprint string, change ...func(*Word)) Word {
	w := Word{Source: Forge, By: by, Name: by, Where: where, Fingerprint: fingerprint}
	for _, fn := range change {
		fn(&w)
	}
	return w
}

func flawed(f Flaw) func(*Word)   { return func(w *Word) { w.Flaw = f } }
func same(w *Word)                { w.Same = true }
func lost(why string) func(*Word) { return func(w *Word) { w.Lost, w.Fingerprint = why, "" } }

// trailer is a Reviewed-by.
func trailer(w *Word) { w.Source, w.By = Trailers, w.By+"@acme.example" }

func TestJudge(t *testing.T) {
	forge, trailers, either := []Source{Forge}, []Source{Trailers}, []Source{Forge, Trailers}
	for _, c := range []struct {
		name  string
		rule  Rule
		words []Word
		why   string // "": it is approved
	}{
		{"approved", Rule{1, forge, nil}, []Word{word("Resi", "#12", "fp")}, ""},
		{"nobody", Rule{1, forge, nil}, nil, "no approved pull request has this text"},
		{"nobody, trailers", Rule{1, trailers, nil}, nil, "no commit with a Reviewed-by has this text"},
		{"nobody, either", Rule{2, either, nil}, nil, "neither an approved pull request nor a commit with a Reviewed-by has this text"},
		{"edited after the approval", Rule{1, forge, nil}, []Word{word("Resi", "#12", "old")}, "edited since Resi approved it in #12"},
		{"edited, and approved anew", Rule{1, forge, nil}, []Word{word("Resi", "#13", "fp"), word("Resi", "#12", "old")}, ""},
		{"two of two", Rule{2, forge, nil}, []Word{word("Resi", "#12", "fp"), word("Kim", "#12", "fp")}, ""},
		{"one of two", Rule{2, forge, nil}, []Word{word("Resi", "#12", "fp")}, "needs a second person: only Resi has approved it in #12"},
		{"one twice", Rule{2, forge, nil}, []Word{word("Resi", "#12", "fp"), word("resi", "#13", "fp")}, "needs a second person: only Resi has approved it in #12"},
		{"the second of an older text", Rule{2, forge, nil}, []Word{word("Kim", "#12", "old"), word("Resi", "#12", "fp")}, "needs a second person: only Resi has approved it in #12"},
		{"two of three", Rule{3, forge, nil}, []Word{word("Resi", "#12", "fp"), word("Kim", "#13", "fp")}, "needs 3 people: so far Resi in #12 and Kim in #13"},
		{"who wrote it", Rule{1, forge, nil}, []Word{word("Ada", "#12", "fp", flawed(Own))}, "in #12 only Ada has approved it, who wrote a part of it"},
		{"who wrote it, and another", Rule{1, forge, nil}, []Word{word("Ada", "#12", "fp", flawed(Own)), word("Resi", "#12", "fp")}, ""},
		{"a bot", Rule{1, forge, nil}, []Word{word("renovate[bot]", "#12", "fp", flawed(Bot))}, "in #12 only renovate[bot] has approved it, which is a bot"},
		{"somebody from outside", Rule{1, forge, nil}, []Word{word("Mallory", "#12", "fp", flawed(Stranger))}, "in #12 only Mallory has approved it, who may not write to the repository"},
		{"too many commits", Rule{1, forge, nil}, []Word{word("Resi", "#12", "fp", flawed(Uncertain))}, "Resi has approved it in #12, which has too many commits to tell who wrote it"},
		{"not named", Rule{1, forge, []string{"resi"}}, []Word{word("Kim", "#12", "fp")}, "in #12 only Kim has approved it, whom require_approval does not name"},
		{"named", Rule{1, forge, []string{"kim", "resi"}}, []Word{word("Resi", "#12", "fp")}, ""},
		{"an account added after", Rule{1, forge, nil}, []Word{word("Resi", "#12", "")}, "it did not go to this account yet when Resi approved #12"},
		{"approved, but not to look at it", Rule{1, forge, nil}, []Word{word("Resi", "#12", "fp", same)}, "no approved pull request has this text"},
		{"the commit is gone", Rule{1, forge, nil}, []Word{word("Resi", "#12", "", lost("the commit 0123456789 is gone"))}, "what Resi approved in #12 is not known: the commit 0123456789 is gone"},
		{"empty is not empty", Rule{1, forge, nil}, []Word{word("Resi", "#12", "", lost("gone")), word("Kim", "#11", "old")}, "edited since Kim approved it in #11"},
		{"a trailer", Rule{1, trailers, nil}, []Word{word("Resi", "commit 0123456789", "fp", trailer)}, ""},
		{"a trailer, named", Rule{1, trailers, []string{"RESI@acme.example"}}, []Word{word("Resi", "commit 0123456789", "fp", trailer)}, ""},
		{"a trailer where reviews count", Rule{1, forge, nil}, []Word{word("Resi", "commit 0123456789", "fp", trailer)}, "no approved pull request has this text"},
		{"a trailer forged by who wrote it", Rule{1, trailers, nil}, []Word{word("Ada", "commit 0123456789", "fp", trailer, flawed(Own))}, "in commit 0123456789 only Ada has approved it, who wrote a part of it"},
		{"a trailer, where either counts", Rule{1, either, nil}, []Word{word("Resi", "commit 0123456789", "fp", trailer)}, ""},
		{"one here and one there may be one person", Rule{2, either, nil}, []Word{word("Resi", "#12", "fp"), word("Therese", "commit 0123456789", "fp", trailer)}, "needs a second person: only Resi has approved it in #12"},
		{"no fingerprint of ours", Rule{1, forge, nil}, []Word{word("Resi", "#12", "fp", lost("gone"))}, "what Resi approved in #12 is not known: gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Judge(c.rule, "fp", c.words)
			if diff := cmp.Diff(Verdict{Approved: c.why == "", Why: c.why}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPeople(t *testing.T) {
	if People(1) != "one person" || People(2) != "2 people" || Have(1) != "one person has" || Have(2) != "2 people have" {
		t.Errorf("%s, %s, %s, %s", People(1), People(2), Have(1), Have(2))
	}
}
