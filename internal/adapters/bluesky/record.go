package bluesky

import (
	"cmp"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// collection is where posts live in an account's repository.
const collection = "app.bsky.feed.post"

// record is a post as it is stored
// (https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/feed/post.json, 2026-11-21).
// Equal renderings become equal bytes: the order of the fields is fixed and there are no maps.
type record struct {
	Type      string   `json:"$type"`
	Text      string   `json:"text"`
	Facets    []facet  `json:"facets,omitempty"`
	Reply     *reply   `json:"reply,omitempty"`
	Embed     any      `json:"embed,omitempty"`
	Langs     []string `json:"langs,omitempty"`
	Labels    *labels  `json:"labels,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	CreatedAt string   `json:"createdAt"`
}

type facet struct {
	Index    index     `json:"index"`
	Features []feature `json:"features"`
}

type index struct {
	Start int `json:"byteStart"`
	End   int `json:"byteEnd"`
}

type feature struct {
	Type string `json:"$type"`
	URI  string `json:"uri,omitempty"`
	DID  string `json:"did,omitempty"`
	Tag  string `json:"tag,omitempty"`
}

// ref is a strong reference: a record in one state.
type ref struct {
	URI string `json:"uri"`
	CID string `json:"cid"`
}

type reply struct {
	Root   ref `json:"root"`
	Parent ref `json:"parent"`
}

type labels struct {
	Type   string  `json:"$type"`
	Values []label `json:"values"`
}

type label struct {
	Val string `json:"val"`
}

// blob is an uploaded file, as the server describes it.
type blob struct {
	Type string `json:"$type"`
	Ref  struct {
		Link string `json:"$link"`
	} `json:"ref"`
	MIME string `json:"mimeType"`
	Size int64  `json:"size"`
}

type images struct {
	Type   string  `json:"$type"`
	Images []image `json:"images"`
}

type image struct {
	Image  *blob  `json:"image"`
	Alt    string `json:"alt"`
	Aspect *ratio `json:"aspectRatio,omitempty"`
}

type video struct {
	Type   string `json:"$type"`
	Video  *blob  `json:"video"`
	Alt    string `json:"alt,omitempty"`
	Aspect *ratio `json:"aspectRatio,omitempty"`
}

type ratio struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

type external struct {
	Type     string `json:"$type"`
	External link   `json:"external"`
}

type link struct {
	URI         string `json:"uri"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Thumb       *blob  `json:"thumb,omitempty"`
}

type quote struct {
	Type   string `json:"$type"`
	Record ref    `json:"record"`
}

type quoteWithMedia struct {
	Type   string `json:"$type"`
	Record quote  `json:"record"`
	Media  any    `json:"media"`
}

// stored is what is read of a record that exists.
type stored struct {
	ref
	Value struct {
		Text      string          `json:"text"`
		CreatedAt string          `json:"createdAt"`
		Reply     *reply          `json:"reply"`
		Embed     json.RawMessage `json:"embed"`
	} `json:"value"`
}

// valid reports whether s is a record with an address and a state.
func (s *stored) valid() bool { return strings.HasPrefix(s.URI, "at://") && s.CID != "" }

// createdAt returns the time that the record claims, zero when it claims none.
func (s *stored) createdAt() time.Time {
	t, err := time.Parse(time.RFC3339Nano, s.Value.CreatedAt)
	if err != nil {
		return time.Time{}
	}
	return t
}

// parent returns the address of the post that s answers, "" for none.
func (s *stored) parent() string {
	if s.Value.Reply == nil {
		return ""
	}
	return s.Value.Reply.Parent.URI
}

// quoted returns the address of the post that s quotes, "" for none.
func (s *stored) quoted() string {
	var embed struct {
		Record struct {
			URI    string `json:"uri"`
			Record struct {
				URI string `json:"uri"`
			} `json:"record"` // beside media
		} `json:"record"`
	}
	if json.Unmarshal(s.Value.Embed, &embed) != nil {
		return ""
	}
	return cmp.Or(embed.Record.URI, embed.Record.Record.URI)
}

// says reports whether s has the words of a part, its files to the byte, and its card. digest is that of a file as it is sent.
func (s *stored) says(part *platform.Part, digest func(platform.Media) string) bool {
	if s.Value.Text != part.Text {
		return false
	}
	card := cardIn(s)
	if len(part.Media) == 0 && part.Card != nil {
		return card != nil && card.URI == part.Card.URL
	}
	have, wanted := blobsIn(s.Value.Embed), map[string]bool{}
	for _, m := range part.Media {
		cid := blobCID(digest(m))
		if wanted[cid] = true; have[cid] == nil {
			return false
		}
	}
	return card == nil && len(have) == len(wanted)
}

// facets returns a part's facets that AT Protocol knows. dids has an account for each mention that leads
// to one; the others stay plain text.
func facets(part *platform.Part, dids map[string]string) []facet {
	var list []facet
	for _, f := range part.Facets {
		var ft feature
		switch f.Kind {
		case platform.FacetLink:
			ft = feature{Type: "app.bsky.richtext.facet#link", URI: f.Value}
		case platform.FacetTag:
			ft = feature{Type: "app.bsky.richtext.facet#tag", Tag: f.Value}
		case platform.FacetMention:
			did := dids[f.Value]
			if did == "" {
				continue
			}
			ft = feature{Type: "app.bsky.richtext.facet#mention", DID: did}
		default:
			continue
		}
		list = append(list, facet{index{f.Start, f.End}, []feature{ft}})
	}
	return list
}

// selfLabelsOf returns the labels in the form of a record.
func selfLabelsOf(values []string) *labels {
	if len(values) == 0 {
		return nil
	}
	l := &labels{Type: "com.atproto.label.defs#selfLabels"}
	for _, v := range values {
		l.Values = append(l.Values, label{v})
	}
	return l
}

// blobCID returns the address under which AT Protocol stores bytes with a SHA-256 digest: a version 1
// CID of raw bytes. Something that is stored already need not be uploaded again.
func blobCID(digest string) string {
	sum, err := hex.DecodeString(digest)
	if err != nil || len(sum) != 32 {
		return ""
	}
	return "b" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(append([]byte{0x01, 0x55, 0x12, 0x20}, sum...)))
}

// blobsIn finds the blobs in an embed that exists, by CID.
func blobsIn(embed json.RawMessage) map[string]*blob {
	found := map[string]*blob{}
	var walk func(json.RawMessage, int)
	walk = func(raw json.RawMessage, depth int) {
		if depth > 8 { // an embed with blobs is 4 deep
			return
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) == nil {
			var b blob
			if json.Unmarshal(raw, &b) == nil && b.Type == "blob" && b.Ref.Link != "" {
				found[b.Ref.Link] = &b
				return
			}
			for _, v := range object {
				walk(v, depth+1)
			}
			return
		}
		var array []json.RawMessage
		if json.Unmarshal(raw, &array) == nil {
			for _, v := range array {
				walk(v, depth+1)
			}
		}
	}
	walk(embed, 0)
	return found
}

// postOf returns the account and record key in an AT URI or in a post's address on a web page.
func postOf(address string) (who, rkey string, ok bool) {
	if rest, found := strings.CutPrefix(address, "at://"); found {
		who, rkey, ok = strings.Cut(rest, "/"+collection+"/")
	} else if _, rest, found := strings.Cut(address, "/profile/"); found {
		who, rkey, ok = strings.Cut(rest, "/post/")
	}
	rkey = strings.TrimSuffix(rkey, "/")
	if !ok || who == "" || rkey == "" || strings.ContainsAny(who+rkey, "/?# ") {
		return "", "", false
	}
	return who, rkey, true
}
