// Package graph is what the APIs of Meta have in common: Facebook, Instagram and Threads answer with one shape of error and one way
// of limiting their clients.
//
// What a refusal means stands in its code and never in its HTTP status: a dead token, a limit and a text that is too long are all 400.
package graph

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

// Version is the version of the Graph API that is spoken: https://developers.facebook.com/docs/graph-api/changelog (2026-11-22). It is
// part of every path, so that a new one changes nothing by itself. Threads counts by itself: [ThreadsVersion].
const Version = "v25.0"

// ThreadsVersion is the version of the Threads API that is spoken (2026-11-22).
const ThreadsVersion = "v1.0"

// Error is the error of an answer, under the key "error".
// https://developers.facebook.com/docs/graph-api/guides/error-handling (2026-11-22)
type Error struct {
	Message     string `json:"message"`
	Type        string `json:"type,omitempty"`
	Code        int    `json:"code"`
	Subcode     int    `json:"error_subcode,omitempty"`
	Transient   bool   `json:"is_transient,omitempty"`
	UserTitle   string `json:"error_user_title,omitempty"`
	UserMessage string `json:"error_user_msg,omitempty"`
	Trace       string `json:"fbtrace_id,omitempty"`
}

// envelope is the body of an answer that is an error.
type envelope struct {
	Error *Error `json:"error"`
}

// Parse returns the error that the body of an answer is, and whether it is one.
func Parse(body []byte) (Error, bool) {
	var answer envelope
	if json.Unmarshal(body, &answer) != nil || answer.Error == nil || answer.Error.Code == 0 && answer.Error.Message == "" {
		return Error{}, false
	}
	return *answer.Error, true
}

// Code is the code of an error, as the cause of a [platform.Error]: errors.Is(err, Code{190, 463}) asks for exactly that one, and
// Code{Code: 190} for every subcode.
type Code struct{ Code, Subcode int }

// Error implements error.
func (c Code) Error() string {
	if c.Subcode == 0 {
		return fmt.Sprintf("error %d", c.Code)
	}
	return fmt.Sprintf("error %d/%d", c.Code, c.Subcode)
}

// Is implements what errors.Is asks.
func (c Code) Is(target error) bool {
	t, ok := target.(Code)
	return ok && t.Code == c.Code && (t.Subcode == 0 || t.Subcode == c.Subcode)
}

// Gone is the code with which the Graph API answers for an object that does not exist, or that the token may not see.
var Gone = Code{100, 33}

// Refine gives an error the meaning of the answer's code, and its words; it belongs into apihttp.Client.Refine. The code stays in the
// error as a [Code]. An answer that is no Graph error leaves it as its status has made it.
//
// A passing fault of the network, codes 1 and 2, is Unknown, as it must be for requests that create something. Those that do not
// are put right by [Settle].
func Refine(e *platform.Error, header http.Header, body []byte) {
	answer, ok := Parse(body)
	if !ok {
		return
	}
	code := Code{answer.Code, answer.Subcode}
	e.Err, e.Message = code, answer.words()
	if outcome, hint, ok := meaning(&answer); ok {
		e.Outcome, e.Hint = outcome, hint
	}
	if e.Outcome == platform.Limited {
		if wait := regain(header); wait > 0 {
			e.RetryAfter = wait
		}
	}
}

// Settle returns the error of a request, given whether that creates something: what does not may always be repeated.
func Settle(err error, creates bool) error {
	if e, ok := errors.AsType[*platform.Error](err); ok && !creates && e.Outcome == platform.Unknown {
		settled := *e
		settled.Outcome = platform.Unsent
		return &settled
	}
	return err
}

// words returns what the network says, to people where it does, with the code, which is what can be looked up.
func (e *Error) words() string {
	said := strings.TrimSpace(e.Message)
	for _, more := range [2]string{e.UserMessage, e.UserTitle} {
		if more = strings.TrimSpace(more); more != "" && !strings.Contains(said, more) {
			said = strings.TrimSuffix(more+" · "+said, " · ")
		}
	}
	if said == "" {
		said = "the network gave no reason"
	}
	return fmt.Sprintf("%s (%v)", said, Code{e.Code, e.Subcode})
}

// meaning returns what an error's code means, false for codes that mean nothing beyond their status.
// https://developers.facebook.com/docs/graph-api/guides/error-handling and
// https://developers.facebook.com/docs/graph-api/overview/rate-limiting (2026-11-22)
func meaning(e *Error) (platform.Outcome, string, bool) {
	switch code := e.Code; {
	case code == 190 || code == 102: // the token
		return platform.Denied, tokenHint(e.Subcode), true
	case code == 4 || code == 9 || code == 17 || code == 32 || code == 341 || code == 613 || code >= 80000 && code <= 80014: // limits
		return platform.Limited, "", true
	case code == 368 && e.Subcode == 1390008: // posting too fast
		return platform.Limited, "", true
	case code == 368:
		return platform.Denied, "the network has blocked the account from doing this for a while: log in there and see what it asks for", true
	case code == 3 || code == 10 || code >= 200 && code <= 299:
		return platform.Denied, "the token lacks a permission, or who made it has lost the role that goes with it: make a new one with all scopes", true
	case code == -1 || code == 1 || code == 2 || e.Transient:
		return platform.Unknown, "", true
	case code == 100:
		return platform.Rejected, "", true
	}
	return 0, "", false
}

// tokenHint returns what helps against a token that is not accepted.
func tokenHint(subcode int) string {
	switch subcode {
	case 458:
		return "the app is no longer allowed to use the account: allow it again and make a new token"
	case 459, 464:
		return "the network wants to see who made the token: log in there, answer what it asks, and make a new token if need be"
	case 460:
		return "the password was changed, which ends all tokens: make a new token and set it again"
	case 463:
		return "the token has expired: make a new one and set it again"
	}
	return "the token is wrong, expired or revoked: make a new one and set it again"
}

// maxRegain bounds what an answer may make us wait.
const maxRegain = 24 * time.Hour

// usageHeaders tell how much of its limits a client has used.
var usageHeaders = [...]string{"X-Business-Use-Case-Usage", "X-App-Usage", "X-Ad-Account-Usage"}

// usage is what one limit's entry says: how many minutes it takes until calls are taken again.
type usage struct {
	Regain float64 `json:"estimated_time_to_regain_access"`
}

// regain returns how long a client that has used up its calls must wait, the longest of what the answer says; 0 when it says nothing.
// https://developers.facebook.com/docs/graph-api/overview/rate-limiting#headers (2026-11-22)
func regain(header http.Header) time.Duration {
	var minutes float64
	for _, name := range usageHeaders {
		value := []byte(header.Get(name))
		var one usage
		if json.Unmarshal(value, &one) == nil {
			minutes = max(minutes, one.Regain)
		}
		var byID map[string]json.RawMessage
		if json.Unmarshal(value, &byID) != nil {
			continue
		}
		for _, entry := range byID {
			var list []usage
			if json.Unmarshal(entry, &list) == nil {
				for _, u := range list {
					minutes = max(minutes, u.Regain)
				}
			}
		}
	}
	return time.Duration(min(minutes, maxRegain.Minutes()) * float64(time.Minute))
}

// Proof returns the appsecret_proof of a token: apps that require one take no token that was stolen from somewhere else.
// https://developers.facebook.com/docs/graph-api/guides/secure-requests (2026-11-22)
func Proof(token, appSecret secret.String) string {
	mac := hmac.New(sha256.New, []byte(appSecret.Reveal()))
	mac.Write([]byte(token.Reveal())) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}

// Authorize returns a function that gives a request the token in its header, where no log of addresses sees it.
func Authorize(token secret.String) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.Reveal()) }
}
