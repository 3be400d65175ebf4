package inbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/secret"
)

// key is a secret in the two forms in which it is used.
type key struct {
	raw    []byte
	signer *standardwebhooks.Webhook // nil for a secret that is no signing token: whsec_ and base64
}

func keysOf(secrets []secret.String) []key {
	var keys []key
	for _, s := range secrets {
		if s.IsZero() {
			continue // anybody can sign with an empty key
		}
		k := key{raw: []byte(s.Reveal())}
		if token, ok := strings.CutPrefix(s.Reveal(), "whsec_"); ok && token != "" {
			if signer, err := standardwebhooks.NewWebhook(token); err == nil {
				k.signer = signer
			}
		}
		keys = append(keys, k)
	}
	return keys
}

// delivery is a request on its way to become an event.
type delivery struct {
	kind forge.Kind
	id   string
	name string // what the header says has happened
	body []byte // first the request's body, then the JSON in it
	sent []byte // the bytes that a signature covers
	made time.Time
	// idUnique says that the host gives every delivery an id of its own.
	idUnique bool
	// signed says that the signature covers the body and nothing else, so that the same body can come with other headers.
	signed bool
}

// deliveryOf reads the headers. Gitea and Forgejo send GitHub's and Gogs' headers beside their own, so theirs are looked for first.
//
//   - https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers (2026-11-22)
//   - https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers (2026-11-22)
//   - https://docs.gitea.com/usage/webhooks (2026-11-22), https://forgejo.org/docs/latest/user/webhooks/ (2026-11-22)
func deliveryOf(h http.Header) (delivery, error) {
	var d delivery
	var id string
	first := func(names ...string) string {
		for _, name := range names {
			if v := h.Get(name); v != "" {
				return v
			}
		}
		return ""
	}
	switch {
	case first("X-Gitea-Event", "X-Forgejo-Event") != "":
		d = delivery{kind: forge.Gitea, name: first("X-Gitea-Event", "X-Forgejo-Event"), idUnique: true}
		id = first("X-Gitea-Delivery", "X-Forgejo-Delivery")
	case first("X-Gitlab-Event") != "":
		d = delivery{kind: forge.GitLab, name: first("X-Gitlab-Event")}
		// The event's own id is the same for all references of one push, so it tells deliveries apart only together with the body.
		id = first(standardwebhooks.HeaderWebhookID, "Idempotency-Key")
		d.idUnique = id != ""
		if id == "" {
			id = first("X-Gitlab-Event-Uuid")
		}
	case first("X-Github-Event") != "":
		d = delivery{kind: forge.GitHub, name: first("X-Github-Event"), idUnique: true}
		id = first("X-Github-Delivery")
	default:
		return d, errors.New("no header says which code host it is from: GitHub, GitLab, Gitea and Forgejo are understood")
	}
	if !plain(id, 128) {
		return d, errors.New("no header has the delivery's id, or none that can be one")
	}
	d.id = id
	if !plain(d.name, 64) {
		return d, errors.New("the header that says what has happened has no name of an event")
	}
	return d, nil
}

// plain reports whether a header's value is short and made of characters that can be printed anywhere. Without a full stop, because that is what
// separates the parts that a Standard Webhooks signature covers: an id could else take a piece of the body with it.
func plain(s string, most int) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == ' ' && i > 0 && i < len(s)-1:
		default:
			return false
		}
	}
	return s != "" && len(s) <= most
}

// unpack finds the JSON in a body, and what of it is signed: GitHub signs the form that it sends
// (https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, 2026-11-22), Gitea the JSON that it then puts into one
// (https://github.com/go-gitea/gitea/blob/main/services/webhook/deliver.go, 2026-11-22).
func (d *delivery) unpack(contentType string) error {
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && media == "application/json":
		d.sent = d.body
		return nil
	case err == nil && media == "application/x-www-form-urlencoded" && d.kind != forge.GitLab:
		form, err := url.ParseQuery(string(d.body))
		if err != nil || !form.Has("payload") {
			return errors.New("the body is that of a form, and has no payload; let the webhook send application/json")
		}
		d.sent, d.body = d.body, []byte(form.Get("payload"))
		if d.kind == forge.Gitea {
			d.sent = d.body
		}
		return nil
	default:
		return errors.New("the body is not JSON; let the webhook send application/json")
	}
}

// authenticate checks that a request was made by somebody who knows one of the secrets. All of them are tried, whichever it was, and each in a time
// that does not depend on what the request has.
func (d *delivery) authenticate(h http.Header, keys []key) error {
	if len(keys) == 0 {
		return errors.New("no secret is set by which it could be believed")
	}
	switch d.kind {
	case forge.GitLab:
		return d.authenticateGitLab(h, keys)
	case forge.Gitea:
		d.signed = true
		signature := h.Get("X-Gitea-Signature")
		if signature == "" {
			signature = h.Get("X-Forgejo-Signature")
		}
		return signedBy(keys, d.sent, signature, "X-Gitea-Signature")
	default:
		d.signed = true
		return signedBy(keys, d.sent, strings.TrimPrefix(h.Get("X-Hub-Signature-256"), "sha256="), "X-Hub-Signature-256")
	}
}

// errUnknown is what there is to say about every signature that is not right: which secret it was nearly, or what was wrong, helps nobody else.
var errUnknown = errors.New("it is not signed with a secret that is set here")

// signedBy reports how the HMAC-SHA256 of a text, in hexadecimal, fits the keys.
func signedBy(keys []key, text []byte, signature, header string) error {
	if signature == "" {
		return fmt.Errorf("it is not signed: %s is empty; give the webhook a secret", header)
	}
	given, err := hex.DecodeString(signature)
	if err != nil {
		return errUnknown
	}
	fits := 0
	for _, k := range keys {
		mac := hmac.New(sha256.New, k.raw)
		mac.Write(text)
		fits |= subtle.ConstantTimeCompare(mac.Sum(nil), given)
	}
	if fits != 1 {
		return errUnknown
	}
	return nil
}

// authenticateGitLab checks a signature where there is one and a token to check it with, and otherwise the secret that GitLab sends as it is.
// Signatures exist since GitLab 19.0 (https://docs.gitlab.com/user/project/integrations/webhooks/#signing-tokens, 2026-11-22;
// https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944, 2026-11-22). What has a signature has to have a good one.
func (d *delivery) authenticateGitLab(h http.Header, keys []key) error {
	tokens, fits := 0, 0
	for _, k := range keys {
		if k.signer == nil {
			continue
		}
		tokens++
		// The receiver's clock decides below: the library has one of its own.
		if k.signer.VerifyIgnoringTimestamp(d.sent, h) == nil {
			fits = 1
		}
	}
	if tokens > 0 && h.Get(standardwebhooks.HeaderWebhookSignature) != "" {
		if fits != 1 {
			return errUnknown
		}
		seconds, err := strconv.ParseInt(h.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
		if err != nil {
			return errUnknown
		}
		d.made = time.Unix(seconds, 0)
		return nil
	}
	given := h.Get("X-Gitlab-Token")
	if given == "" {
		return errors.New("it is not signed, and X-Gitlab-Token is empty; give the webhook a signing token or a secret token")
	}
	digest := sha256.Sum256([]byte(given)) // of one length, so that the comparison does not tell the secret's
	for _, k := range keys {
		own := sha256.Sum256(k.raw)
		fits |= subtle.ConstantTimeCompare(own[:], digest[:])
	}
	if fits != 1 {
		return errUnknown
	}
	return nil
}

// marks are what a delivery is recognised by: its id, which at GitHub and Gitea can be exchanged by whoever has overheard the request, and there
// the signed text as well. Who has overheard GitLab's token can send whatever they like, so the body of such a request says nothing.
func (d *delivery) marks() []mark {
	digest := sha256.Sum256(d.sent)
	id := string(d.kind) + "\x00" + d.id
	if !d.idUnique {
		id += "\x00" + string(digest[:])
	}
	marks := []mark{sha256.Sum256([]byte(id))}
	if d.signed {
		marks = append(marks, digest)
	}
	return marks
}
