package x

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// newPost is the body of POST /2/tweets: https://docs.x.com/x-api/posts/create-post (2026-08-22). It takes no field that
// the page does not name.
type newPost struct {
	Text          string    `json:"text"`
	Media         *newMedia `json:"media,omitempty"`
	Poll          *newPoll  `json:"poll,omitempty"`
	Quote         string    `json:"quote_tweet_id,omitempty"`
	Reply         *newReply `json:"reply,omitempty"`
	ReplySettings string    `json:"reply_settings,omitempty"`
}

type newMedia struct {
	IDs []string `json:"media_ids"`
}

type newPoll struct {
	Options []string `json:"options"`
	Minutes int      `json:"duration_minutes"`
}

type newReply struct {
	To string `json:"in_reply_to_tweet_id"`
}

// body returns the request that makes part i of a rendering, but for its media and the post before it.
func body(r *platform.Rendering, i int) newPost {
	b := newPost{Text: r.Parts[i].Text}
	if i > 0 {
		return b
	}
	b.Quote = postID(r.Quote)
	b.ReplySettings = r.Settings[settingReply]
	if r.ReplyTo != "" {
		b.Reply = &newReply{To: postID(r.ReplyTo)}
	}
	if r.Poll != nil {
		b.Poll = &newPoll{Options: r.Poll.Options, Minutes: int(r.Poll.Duration / time.Minute)}
	}
	return b
}

// answers returns which part a later part answers: the one before it, or the first, if it is a comment.
func answers(r *platform.Rendering, part int) int {
	if r.Parts[part].Comment {
		return 0
	}
	return part - 1
}

// wirePost is a post as the API shows it: https://docs.x.com/x-api/fundamentals/data-dictionary (2026-08-22). The
// specification, version 2.167, calls tweets posts in some names of fields where the pages and the service do not yet.
type wirePost struct {
	ID          string       `json:"id"`
	Text        string       `json:"text"`
	CreatedAt   time.Time    `json:"created_at"`
	Entities    wireEntities `json:"entities"`
	NoteTweet   *wireNote    `json:"note_tweet"` // the whole of a text beyond 280
	NotePost    *wireNote    `json:"note_post"`
	Attachments struct {
		Media []string `json:"media_keys"`
		Polls []string `json:"poll_ids"`
	} `json:"attachments"`
	ReferencedTweets []wireReference `json:"referenced_tweets"`
	ReferencedPosts  []wireReference `json:"referenced_posts"`
}

type wireNote struct {
	Text     string       `json:"text"`
	Entities wireEntities `json:"entities"`
}

type wireEntities struct {
	URLs []wireURL `json:"urls"`
}

type wireURL struct {
	URL      string `json:"url"` // https://t.co/…, as it stands in the text
	Expanded string `json:"expanded_url"`
	MediaKey string `json:"media_key"`
}

type wireReference struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type wireMedia struct {
	Key string  `json:"media_key"`
	Alt *string `json:"alt_text"`
}

// refers returns the post that this one refers to in a way, "" if to none.
func (t *wirePost) refers(way string) string {
	for _, list := range [2][]wireReference{t.ReferencedTweets, t.ReferencedPosts} {
		for _, r := range list {
			if r.Type == way {
				return r.ID
			}
		}
	}
	return ""
}

// whole returns the text of a post and the addresses in it.
func (t *wirePost) whole() (string, []wireURL) {
	for _, note := range [2]*wireNote{t.NoteTweet, t.NotePost} {
		if note != nil && note.Text != "" {
			return note.Text, append(note.Entities.URLs, t.Entities.URLs...)
		}
	}
	return t.Text, t.Entities.URLs
}

// snowflakeEpoch is when the ids of X begin to count milliseconds, in their bits from the 23rd on.
const snowflakeEpoch = 1288834974657

// madeAt returns when a post was made, which its id says; the zero time for an id from before.
// https://docs.x.com/resources/fundamentals/x-ids (2026-08-22)
func madeAt(id string) time.Time {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n < 1<<40 {
		return time.Time{}
	}
	return time.UnixMilli(int64(n>>22) + snowflakeEpoch).UTC() //nolint:gosec // 42 bits
}

// problem is what the API says of a refusal: either form of it.
// https://docs.x.com/x-api/fundamentals/response-codes-and-errors (2026-08-22)
type problem struct {
	Type   string  `json:"type"`
	Title  string  `json:"title"`
	Detail string  `json:"detail"`
	Errors []fault `json:"errors"`
}

type fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Type    string `json:"type"`
	Detail  string `json:"detail"`
}

// kind returns the last word of the problem's type, "usage-capped"; "" where it has none of its own.
func (p *problem) kind() string {
	_, kind, _ := strings.Cut(p.Type, "/problems/")
	return kind
}

// words returns what the API says, "" if nothing.
func (p *problem) words() string {
	words := cmp.Or(p.Detail, p.Title)
	for _, f := range p.Errors {
		if said := cmp.Or(f.Message, f.Detail); !strings.Contains(words, said) {
			words = strings.TrimSpace(words + " " + said)
		}
	}
	return words
}

// code reports whether the API names one of its numbered errors.
func (p *problem) code(n int) bool {
	return slices.ContainsFunc(p.Errors, func(f fault) bool { return f.Code == n })
}

// lacks reports whether an answer says that what was asked for does not exist, which the API does with status 200.
func (p *problem) lacks() bool {
	return slices.ContainsFunc(p.Errors, func(f fault) bool { return strings.HasSuffix(f.Type, "/problems/resource-not-found") })
}

// The hints for what people have to mend.
const (
	hintToken = "make new tokens in the developer console, with the app's permission Read and write set before, and set them again; " +
		"an OAuth 2.0 access token lives for two hours only"
	hintClock = "the clock of this machine is wrong, and signed requests carry its time: set it right"
	hintMay   = "does the app have the permission Read and write, and were the tokens made after it had? Is the account free of restrictions, " +
		"and does it have X Premium where `premium: true` says so?"
	hintCredits   = "buy credits in the developer console, https://console.x.com, or raise the spending limit there"
	hintCap       = "the app has used up what its plan allows; the developer console, https://console.x.com, says when that begins anew"
	hintTwice     = "X does not take the same words twice within some time: change the text, or record where it is with `postrider resolve POST ACCOUNT --published URL`"
	hintSummoned  = "apps without a contract with X may reply only where the author has mentioned or quoted the account, and may not quote; do it by hand, and record it with `postrider resolve`"
	hintTurnedOff = "the app lacks access to this part of the API: look at its project and plan in the developer console, https://console.x.com"
)

// errDuplicate marks the refusal of words that the account has said already.
var errDuplicate = errors.New("the same words again")

// refine reads the API's refusals. The status alone says little: X answers 403 to what is forbidden to the app, to the account, and to
// the words. What it says is not documented in full; what is not known keeps the meaning of its status.
func (p *publisher) refine(e *platform.Error, r *apihttp.Response) {
	var said problem
	if json.Unmarshal(r.Body, &said) == nil {
		e.Message = cmp.Or(said.words(), e.Message)
	}
	words := strings.ToLower(e.Message)
	switch {
	case e.Status == http.StatusPaymentRequired:
		e.Outcome, e.Hint = platform.Denied, hintCredits
	case said.kind() == "usage-capped" && e.Status < 500:
		// Only the month's end, or a person, changes that. The next try is cheap, and may be a day away.
		e.Outcome, e.Hint, e.RetryAfter = platform.Limited, hintCap, max(e.RetryAfter, 24*time.Hour)
	case e.Status == http.StatusTooManyRequests:
		e.RetryAfter = max(e.RetryAfter, p.dayOver(r.Header))
	case e.Status == http.StatusUnauthorized:
		e.Hint = hintToken
		if said.code(135) || strings.Contains(words, "timestamp") {
			e.Hint = hintClock
		}
	case e.Status != http.StatusForbidden && e.Status != http.StatusBadRequest:
	case said.code(187) || strings.Contains(words, "duplicate content") || strings.Contains(words, "status is a duplicate"):
		e.Outcome, e.Hint, e.Err = platform.Rejected, hintTwice, errDuplicate
	case e.Status == http.StatusBadRequest:
	case said.kind() == "client-forbidden", said.kind() == "oauth1-permissions", said.code(453):
		e.Hint = hintTurnedOff
		if said.kind() == "oauth1-permissions" {
			e.Hint = hintMay
		}
	case strings.Contains(words, "reply") || strings.Contains(words, "replies") || strings.Contains(words, "quote") || strings.Contains(words, "quoting"):
		e.Outcome, e.Hint = platform.Rejected, hintSummoned
	default:
		e.Hint = hintMay
	}
}

// dayOver returns how long it is until the day is over whose posts are used up, 0 if they are not. X tells of the posts of an account
// and of an app in 24 hours in headers of their own, beside those of 15 minutes, which are undocumented.
func (p *publisher) dayOver(h http.Header) time.Duration {
	now := p.deps.Now()
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	wait := time.Duration(0)
	for _, who := range [2]string{"X-User-Limit-24hour-", "X-App-Limit-24hour-"} {
		reset, err := strconv.ParseInt(h.Get(who+"Reset"), 10, 64)
		if err == nil && h.Get(who+"Remaining") == "0" {
			wait = max(wait, min(time.Unix(reset, 0).Sub(now), 24*time.Hour))
		}
	}
	return wait
}
