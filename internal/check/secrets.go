package check

import (
	"fmt"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

func secrets() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "T304", Title: "text that looks like a secret", Severity: finding.Warning, Since: "0.1.0",
			Why: "A token or key in a post's file can be read by everybody who has the repository, and would be published if it is in the text. " +
				"Once committed it must be replaced: deleting the line does not remove it from git.",
			Bad:  "-- content/sled.md --\n---\nplatforms: [x]\n---\nOur build uses ghp_" + strings.Repeat("0a1B", 9) + " now.\n",
			Good: "-- content/sled.md --\n---\nplatforms: [x]\n---\nOur build uses a token now.\n",
		},
		post: func(p *Pass, x *post.Post) {
			scanSecrets(x.Text, func(start, end int, what string) {
				r := x.Range(post.Span{Start: start, End: end})
				p.out.Add(finding.Finding{
					Code: "T304", Severity: finding.Warning, Path: x.Path, Post: x.ID, Range: r, Private: true,
					Message: fmt.Sprintf("this looks like %s", what), Hint: "take it out, and replace it where it is used if it was ever committed",
				})
			})
		},
	}
}

// secretForm is how a kind of secret is recognised: by a beginning, an exact or least number of characters after it, and which.
type secretForm struct {
	prefix string
	least  int
	exact  bool
	what   string
}

// secretForms returns the forms that begin with a byte. They are those that their makers gave a beginning of their own, so that they
// can be told from other text.
func secretForms(first byte) []secretForm {
	switch first {
	case 'A':
		return []secretForm{
			{"AKIA", 16, true, "an AWS access key"}, {"ASIA", 16, true, "an AWS access key"}, {"AIza", 35, true, "a Google API key"},
		}
	case 'S':
		return []secretForm{{"SG.", 60, false, "a SendGrid key"}}
	case 'E':
		return []secretForm{{"EAA", 100, false, "a Meta access token"}}
	case 'e':
		return []secretForm{{"eyJhbGciOi", 40, false, "a signed token (JWT)"}}
	case 'g':
		return []secretForm{
			{"ghp_", 36, false, "a GitHub token"}, {"gho_", 36, false, "a GitHub token"}, {"ghs_", 36, false, "a GitHub token"}, {"ghu_", 36, false, "a GitHub token"},
			{"ghr_", 36, false, "a GitHub token"}, {"github_pat_", 40, false, "a GitHub token"}, {"glpat-", 20, false, "a GitLab token"},
		}
	case 'n':
		return []secretForm{{"nsec1", 58, true, "a Nostr secret key"}, {"npm_", 36, true, "an npm token"}}
	case 's':
		return []secretForm{{"sk_live_", 16, false, "a Stripe key"}, {"sk-ant-", 20, false, "an API key"}, {"sk-proj-", 20, false, "an API key"}}
	case 'x':
		return []secretForm{{"xoxb-", 20, false, "a Slack token"}, {"xoxp-", 20, false, "a Slack token"}, {"xoxa-", 20, false, "a Slack token"}}
	case 'w':
		return []secretForm{{"whsec_", 24, false, "a webhook secret"}}
	case '-':
		return []secretForm{{"-----BEGIN", 0, false, "a private key"}}
	default:
		return nil
	}
}

// scanSecrets calls found for each word of text that looks like a secret. It reads every post whole, so it looks
// closer only where a word begins with one of a few letters.
func scanSecrets(text string, found func(start, end int, what string)) {
	for i := 0; i < len(text); {
		if !tokenByte(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && tokenByte(text[i]) {
			i++
		}
		if i-start < 10 {
			continue
		}
		word := text[start:i]
		for _, f := range secretForms(word[0]) {
			rest, ok := strings.CutPrefix(word, f.prefix)
			if !ok {
				continue
			}
			if f.prefix == "-----BEGIN" {
				line, _, _ := strings.Cut(text[start:], "\n")
				if strings.Contains(line, "PRIVATE KEY-----") {
					found(start, start+len(strings.TrimRight(line, "\r")), f.what)
				}
				continue
			}
			rest = strings.TrimRight(rest, ".-")
			if len(rest) < f.least || f.exact && len(rest) != f.least || !strings.ContainsAny(rest, "0123456789") {
				continue
			}
			found(start, start+len(f.prefix)+len(rest), f.what)
		}
	}
}

func tokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.'
}
