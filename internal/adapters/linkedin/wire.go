package linkedin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/postrider/postrider/internal/platform"
)

// wirePost is a post as it is sent and read.
// https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api (2026-11-22)
type wirePost struct {
	ID             string        `json:"id,omitempty"`
	Author         string        `json:"author"`
	Commentary     string        `json:"commentary"`
	Visibility     string        `json:"visibility"`
	Distribution   *distribution `json:"distribution,omitempty"`
	Content        *wireContent  `json:"content,omitempty"`
	LifecycleState string        `json:"lifecycleState"`
	NoReshare      bool          `json:"isReshareDisabledByAuthor"`
	Reshare        *wireReshare  `json:"reshareContext,omitempty"`
	CreatedAt      int64         `json:"createdAt,omitempty"` // in milliseconds, as all times
	LastModifiedAt int64         `json:"lastModifiedAt,omitempty"`
}

type distribution struct {
	FeedDistribution string   `json:"feedDistribution"`
	TargetEntities   []string `json:"targetEntities"`
	ThirdParty       []string `json:"thirdPartyDistributionChannels"`
}

// wireContent has one of its fields.
type wireContent struct {
	Media      *wireMedia   `json:"media,omitempty"`
	MultiImage *wireImages  `json:"multiImage,omitempty"`
	Article    *wireArticle `json:"article,omitempty"`
	Poll       *wirePoll    `json:"poll,omitempty"`
}

type wireMedia struct {
	ID    string `json:"id"`
	Title string `json:"title,omitempty"`
	Alt   string `json:"altText,omitempty"`
}

type wireImages struct {
	Images []wireMedia `json:"images"`
}

type wireArticle struct {
	Source      string `json:"source"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Thumbnail   string `json:"thumbnail,omitempty"`
}

type wirePoll struct {
	Question string       `json:"question"`
	Options  []pollOption `json:"options"`
	Settings struct {
		Duration string `json:"duration"`
	} `json:"settings"`
}

type pollOption struct {
	Text string `json:"text"`
}

type wireReshare struct {
	Parent string `json:"parent"`
}

// wireComment is a comment as it is sent and read.
// https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/comments-api (2026-11-22)
type wireComment struct {
	ID      string      `json:"id,omitempty"`
	URN     string      `json:"commentUrn,omitempty"`
	Actor   string      `json:"actor"`
	Object  string      `json:"object,omitempty"`
	Message wireMessage `json:"message"`
	Created *struct {
		Time int64 `json:"time"`
	} `json:"created,omitempty"`
}

type wireMessage struct {
	Text string `json:"text"`
}

// body returns the request that makes a rendering's post. content is what was uploaded for it, or what needs no upload.
func body(r *platform.Rendering, author string, content *wireContent) *wirePost {
	p := &wirePost{
		Author: author, Commentary: escape(r.Parts[0].Text, r.Parts[0].Facets), Visibility: strings.ToUpper(r.Visibility), Content: content,
		Distribution:   &distribution{FeedDistribution: "MAIN_FEED", TargetEntities: []string{}, ThirdParty: []string{}},
		LifecycleState: "PUBLISHED",
	}
	if r.Quote != "" {
		p.Reshare = &wireReshare{Parent: shareOf(r.Quote)}
	}
	return p
}

func newPoll(r *platform.Rendering) *wirePoll {
	poll := &wirePoll{Question: r.Settings[settingQuestion]}
	for _, option := range r.Poll.Options {
		poll.Options = append(poll.Options, pollOption{option})
	}
	poll.Settings.Duration = pollDuration(r.Poll.Duration)
	return poll
}

// commentURN returns the URN of a comment, and splitComment takes it apart.
func commentURN(post, id string) string { return "urn:li:comment:(" + post + "," + id + ")" }

func splitComment(urn string) (post, id string, ok bool) {
	inner, ok := strings.CutPrefix(urn, "urn:li:comment:(")
	if !ok {
		return "", "", false
	}
	inner, ok = strings.CutSuffix(inner, ")")
	post, id, cut := strings.Cut(inner, ",")
	return post, id, ok && cut && isURN(post, "share", "ugcPost", "activity") && isID(id)
}

func isID(s string) bool { return isURN("urn:li:x:"+s, "x") }

// version tells part i of a rendering from others: what it says, and after the point all the rest, which cannot be edited.
// The network keeps nothing of the kind.
func version(r *platform.Rendering, i int) string {
	part := r.Parts[i]
	text := digest([]any{part.Text, part.Facets})
	if i > 0 {
		return text + "." + digest(nil)
	}
	var files []any
	for _, m := range part.Media {
		files = append(files, m.Digest, m.Fit, m.Alt)
	}
	var card platform.Card
	if part.Card != nil {
		card = *part.Card
		if card.Image != nil {
			files = append(files, card.Image.Digest, card.Image.Fit)
			card.Image = nil
		}
	}
	return text + "." + digest([]any{files, card, r.Poll, r.Settings, r.Quote, r.Visibility})
}

func digest(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic("linkedin: a part always marshals: " + err.Error())
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:6])
}
