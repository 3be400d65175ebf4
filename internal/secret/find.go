package secret

import "strings"

// form is how a kind of secret is recognised: by a beginning, an exact or least number of characters after it, and which.
type form struct {
	prefix string
	least  int
	exact  bool
	what   string
}

// forms returns the forms that begin with a byte. They are those that their makers gave a beginning of their own, so that they
// can be told from other text.
func forms(first byte) []form {
	switch first {
	case 'A':
		return []form{
			{"AKIA", 16, true, "an AWS access key"}, {"ASIA", 16, true, "an AWS access key"}, {"AIza", 35, true, "a Google API key"},
			{"AAAAAAAAAAAAAAAAAAAA", 40, false, "a bearer token of X"}, {"AQ", 150, false, "a LinkedIn access token"},
		}
	case 'E':
		return []form{{"EAA", 100, false, "a Meta access token"}}
	case 'I':
		return []form{{"IGAA", 60, false, "an Instagram access token"}, {"IGQV", 60, false, "an Instagram access token"}}
	case 'S':
		return []form{{"SG.", 60, false, "a SendGrid key"}}
	case 'T':
		return []form{{"THAA", 60, false, "a Threads access token"}}
	case 'e':
		return []form{{"eyJhbGciOi", 40, false, "a signed token (JWT)"}, {"eyJ0eXAiOi", 40, false, "a signed token (JWT)"}}
	case 'g':
		return []form{
			{"ghp_", 36, false, "a GitHub token"}, {"gho_", 36, false, "a GitHub token"}, {"ghs_", 36, false, "a GitHub token"}, {"ghu_", 36, false, "a GitHub token"},
			{"ghr_", 36, false, "a GitHub token"}, {"github_pat_", 40, false, "a GitHub token"}, {"glpat-", 20, false, "a GitLab token"},
		}
	case 'n':
		return []form{{"nsec1", 58, true, "a Nostr secret key"}, {"npm_", 36, true, "an npm token"}}
	case 's':
		return []form{{"sk_live_", 16, false, "a Stripe key"}, {"sk-ant-", 20, false, "an API key"}, {"sk-proj-", 20, false, "an API key"}}
	case 'w':
		return []form{{"whsec_", 24, false, "a webhook secret"}}
	case 'x':
		return []form{
			{"xoxb-", 20, false, "a Slack token"}, {"xoxp-", 20, false, "a Slack token"}, {"xoxa-", 20, false, "a Slack token"},
			{"xoxe", 20, false, "a Slack token"}, {"xapp-", 20, false, "a Slack token"},
		}
	case '-':
		return []form{{"-----BEGIN", 0, false, "a private key"}}
	default:
		return nil
	}
}

// Find calls found for each stretch of text, in bytes, that looks like a secret, and says what it looks like. It goes by forms that
// hardly anything else has, so that it can be an error to have one in a file that others read; what has no form of its own, such as a
// Mastodon token, it does not see. It is run over every post whole, and so looks closer only where a word begins with one of a few letters.
func Find(text string, found func(start, end int, what string)) {
	last := 0 // the end of what was found last
	for i := 0; i < len(text); {
		if !tokenByte(text[i]) {
			if strings.HasPrefix(text[i:], "://") {
				if end := password(text, i+3); end > 0 {
					found(i+3, end, "an address with a password in it")
					i, last = end, end
					continue
				}
			}
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
		if from, end, what := word(text, start, i); what != "" {
			found(max(from, last), end, what)
			i, last = max(i, end), end
		}
	}
}

// word looks at one word of a text, and at what stands around it. what is empty when it is no secret.
func word(text string, start, end int) (from, to int, what string) {
	w := text[start:end]
	for _, f := range forms(w[0]) {
		rest, ok := strings.CutPrefix(w, f.prefix)
		if !ok {
			continue
		}
		if f.prefix == "-----BEGIN" {
			key, _, _ := strings.Cut(text[start:], "\n")
			if !strings.Contains(key, "PRIVATE KEY-----") {
				continue
			}
			if last := strings.Index(text[start:], "-----END "); last > 0 {
				line, _, _ := strings.Cut(text[start+last:], "\n")
				key = text[start : start+last+len(line)]
			}
			return start, start + len(strings.TrimRight(key, "\r")), f.what
		}
		rest = strings.TrimRight(rest, ".-")
		if len(rest) < f.least || f.exact && len(rest) != f.least || !strings.ContainsAny(rest, "0123456789") || strings.HasSuffix(rest, "EXAMPLE") {
			continue
		}
		return start, start + len(f.prefix) + len(rest), f.what
	}
	if n := webhook(w, text[end:]); n > 0 {
		return start, end + n, "the secret address of a webhook"
	}
	w = strings.TrimRight(w, ".-")
	switch {
	case appPassword(w):
		return start, start + len(w), "an app password"
	case userToken(w):
		return start, start + len(w), "an access token of X"
	case len(w) == 35 && start > 0 && text[start-1] == ':': // https://core.telegram.org/bots/api#authorizing-your-bot (2026-11-22)
		from := start - 1
		for from > 0 && digit(text[from-1]) {
			from--
		}
		if n := start - 1 - from; n >= 6 && n <= 12 && strings.ContainsAny(w, "0123456789") {
			return from, start + len(w), "a token of a Telegram bot"
		}
	}
	return 0, 0, ""
}

// password returns the end of the name and password that an address has before its host, which begins at start; 0 when it has none. Words that
// only stand for a password are none.
func password(text string, start int) (end int) {
	end = start
	for end < len(text) && text[end] > ' ' && strings.IndexByte("@/?#\"'<>()`\\", text[end]) < 0 {
		end++
	}
	_, secret, ok := strings.Cut(text[start:end], ":")
	if !ok || end == len(text) || text[end] != '@' || end+1 == len(text) || !tokenByte(text[end+1]) {
		return 0
	}
	switch strings.ToLower(strings.Trim(secret, "*x.")) {
	case "", "pass", "password", "passwd", "pwd", "secret", "token":
		return 0
	}
	if strings.ContainsAny(secret, "${}[]") {
		return 0
	}
	return end
}

// webhook returns how many bytes of rest belong to an address that begins with a host and lets everybody post who knows it; 0 when it is none.
func webhook(host, rest string) int {
	var end int
	address := func(prefix string, least int) bool {
		if !strings.HasPrefix(rest, prefix) {
			return false
		}
		for end = 0; end < len(rest) && (tokenByte(rest[end]) || rest[end] == '/' || rest[end] == '@' || rest[end] == '%'); {
			end++
		}
		return end-len(prefix) >= least && strings.ContainsAny(rest[len(prefix):end], "0123456789")
	}
	switch host = strings.ToLower(host); {
	case host == "hooks.slack.com" && (address("/services/T", 24) || address("/workflows/T", 24) || address("/triggers/", 24)):
	case (host == "discord.com" || host == "discordapp.com" || strings.HasSuffix(host, ".discord.com")) && address("/api/webhooks/", 60):
	case strings.HasSuffix(host, ".webhook.office.com") && address("/webhookb2/", 60):
	default:
		return 0
	}
	return end
}

// appPassword reports whether a word is made like an app password of an AT Protocol server: four groups of four characters of base32
// (https://github.com/bluesky-social/atproto/blob/main/packages/pds/src/account-manager/helpers/password.ts, 2026-11-22). One in thirty has no
// digit, and cannot be told from words.
func appPassword(w string) bool {
	if len(w) != 19 {
		return false
	}
	letters, digits := 0, 0
	for i := range len(w) {
		switch c := w[i]; {
		case i%5 == 4:
			if c != '-' {
				return false
			}
		case 'a' <= c && c <= 'z':
			letters++
		case '2' <= c && c <= '7':
			digits++
		default:
			return false
		}
	}
	return letters > 0 && digits > 0
}

// userToken reports whether a word is made like an OAuth 1.0a token of X: the number of the account, and forty characters.
func userToken(w string) bool {
	id, rest, ok := strings.Cut(w, "-")
	return ok && len(id) >= 6 && len(id) <= 20 && strings.Trim(id, "0123456789") == "" && len(rest) == 40 &&
		!strings.ContainsAny(rest, "._-") && strings.ContainsAny(rest, "0123456789") && strings.ToLower(rest) != rest
}

// Mask returns text with all that looks like a secret replaced by [Redacted].
func Mask(text string) string {
	var b strings.Builder
	at := 0
	Find(text, func(start, end int, _ string) {
		b.WriteString(text[at:start] + Redacted)
		at = end
	})
	if at == 0 {
		return text
	}
	return b.String() + text[at:]
}

// Key reports whether a key of a configuration sounds like one that holds a secret.
func Key(key string) bool {
	folded := strings.ToLower(key)
	if folded == "token_expires" { // which is a day
		return false
	}
	for _, word := range [...]string{"password", "passwd", "passphrase", "secret", "token", "apikey", "credential", "nsec", "cookie", "bearer"} {
		if strings.Contains(folded, word) {
			return true
		}
	}
	// Short words count only when they stand alone: "key" in "api_key", "accessKey" and "key" but not in "monkey".
	start := 0
	for i := 0; i <= len(key); i++ {
		boundary := i == len(key) || !letter(key[i]) || i > 0 && upper(key[i]) && !upper(key[i-1])
		if !boundary {
			continue
		}
		switch strings.ToLower(strings.TrimLeft(key[start:i], "_-. ")) {
		case "key", "keys", "pass", "pw", "pwd", "auth", "private", "jwt":
			return true
		}
		start = i
	}
	return false
}

// Line reports whether a line of a configuration has a word that sounds like the key of a secret, or something that looks like one.
func Line(line string) (yes bool) {
	for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\n{}[],:\"'=", r) }) {
		if Key(word) {
			return true
		}
	}
	Find(line, func(int, int, string) { yes = true })
	return yes
}

func tokenByte(c byte) bool { return letter(c) || digit(c) || c == '_' || c == '-' || c == '.' }
func digit(c byte) bool     { return '0' <= c && c <= '9' }
func upper(c byte) bool     { return 'A' <= c && c <= 'Z' }
func letter(c byte) bool    { return upper(c) || 'a' <= c && c <= 'z' }
