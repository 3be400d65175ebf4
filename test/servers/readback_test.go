package servers

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// feedPost is the collection that holds an account's posts.
const feedPost = "app.bsky.feed.post"

// bskyRecord is a record as the PDS holds it.
type bskyRecord struct {
	URI, CID string
	Value    map[string]any
}

// bskyReader reads with the PDS's own API, without a session: repositories are public.
type bskyReader struct {
	t   *testing.T
	api client
	did string
}

func (w *world) bskyReader() *bskyReader {
	return &bskyReader{w.t, client{http: &http.Client{}, url: w.pds.URL}, w.pds.DID}
}

// get returns the record at an AT URI.
func (b *bskyReader) get(uri string) (*bskyRecord, error) {
	rkey, ok := strings.CutPrefix(uri, "at://"+b.did+"/"+feedPost+"/")
	if !ok {
		return nil, fmt.Errorf("%q is no post of %s", uri, b.did)
	}
	var r bskyRecord
	where := url.Values{"repo": {b.did}, "collection": {feedPost}, "rkey": {rkey}}
	err := b.api.call(b.t.Context(), http.MethodGet, "/xrpc/com.atproto.repo.getRecord?"+where.Encode(), nil, &r)
	return &r, err
}

// list returns all posts of the account.
func (b *bskyReader) list() []bskyRecord {
	b.t.Helper()
	var page struct{ Records []bskyRecord }
	where := url.Values{"repo": {b.did}, "collection": {feedPost}, "limit": {"100"}}
	if err := b.api.call(b.t.Context(), http.MethodGet, "/xrpc/com.atproto.repo.listRecords?"+where.Encode(), nil, &page); err != nil {
		b.t.Fatal(err)
	}
	if len(page.Records) == 100 {
		b.t.Fatal("there may be more than 100 posts")
	}
	return page.Records
}

// blob returns the bytes of a file that a record mentions.
func (b *bskyReader) blob(cid string) []byte {
	b.t.Helper()
	where := url.Values{"did": {b.did}, "cid": {cid}}
	data, err := download(b.t.Context(), b.api.url+"/xrpc/com.atproto.sync.getBlob?"+where.Encode())
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

// blobOf describes a file as a record mentions it: by a CID of version 1 for raw bytes.
func blobOf(data []byte, mime string) map[string]any {
	sum := sha256.Sum256(data)
	cid := "b" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(append([]byte{1, 0x55, 0x12, 0x20}, sum[:]...)))
	return map[string]any{
		"$type": "blob", "ref": map[string]any{"$link": cid}, "mimeType": mime, "size": float64(len(data)),
	}
}

// postOn returns the record that part i of a rendering must be, but for createdAt and reply.
func (c *clone) postOn(r *rendering, i int, fetched map[string]any) map[string]any {
	c.t.Helper()
	part := &r.Parts[i]
	want := map[string]any{"$type": feedPost, "text": part.Text}
	var langs []any
	for _, l := range r.Language {
		langs = append(langs, l)
	}
	want["langs"] = langs
	var facets []any
	for _, f := range part.Facets {
		feature := map[string]any{"$type": "app.bsky.richtext.facet#" + f.Kind}
		switch f.Kind {
		case "link":
			feature["uri"] = f.Value
		case "tag":
			feature["tag"] = f.Value
		case "mention":
			if f.Value != c.pds.Handle {
				c.t.Fatalf("a mention of %q, whom the PDS does not know", f.Value)
			}
			feature["did"] = c.pds.DID
		}
		facets = append(facets, map[string]any{
			"index":    map[string]any{"byteStart": float64(f.Start), "byteEnd": float64(f.End)},
			"features": []any{feature},
		})
	}
	if facets != nil {
		want["facets"] = facets
	}
	switch {
	case len(part.Media) > 0:
		var images []any
		for _, m := range part.Media {
			images = append(images, map[string]any{
				"image": blobOf(c.file(m.File), m.MIME), "alt": m.Alt,
				"aspectRatio": map[string]any{"width": float64(m.Width), "height": float64(m.Height)},
			})
		}
		want["embed"] = map[string]any{"$type": "app.bsky.embed.images", "images": images}
	case part.Card != nil:
		card := map[string]any{"uri": part.Card.URL, "title": part.Card.Title, "description": part.Card.Description}
		if image := part.Card.Image; image != nil {
			card["thumb"] = blobOf(c.file(image.File), image.MIME)
		}
		if part.Card.Fetch {
			for k, v := range fetched {
				card[k] = v
			}
		}
		want["embed"] = map[string]any{"$type": "app.bsky.embed.external", "external": card}
	}
	return want
}

// blobs returns the CIDs of the files that a record mentions.
func blobs(value any) (cids []string) {
	switch v := value.(type) {
	case map[string]any:
		if ref, ok := v["ref"].(map[string]any); ok && v["$type"] == "blob" {
			cid, _ := ref["$link"].(string)
			return []string{cid}
		}
		for _, inner := range v {
			cids = append(cids, blobs(inner)...)
		}
	case []any:
		for _, inner := range v {
			cids = append(cids, blobs(inner)...)
		}
	}
	slices.Sort(cids)
	return cids
}

// status is a post as GoToSocial shows it.
type status struct {
	ID, URL, Content, Language, Visibility string
	Sensitive                              bool
	Spoiler                                string     `json:"spoiler_text"`
	ReplyTo                                string     `json:"in_reply_to_id"`
	CreatedAt                              time.Time  `json:"created_at"`
	EditedAt                               *time.Time `json:"edited_at"`
	Tags                                   []struct{ Name string }
	Mentions                               []struct{ Acct string }
	Media                                  []struct {
		Type, Description, URL string
		Meta                   struct{ Original struct{ Width, Height int } }
	} `json:"media_attachments"`
	Poll *struct {
		ExpiresAt time.Time `json:"expires_at"`
		Multiple  bool
		Options   []struct{ Title string }
	}
}

// fediReader reads with GoToSocial's own API.
type fediReader struct {
	t   *testing.T
	api client
}

func (w *world) fediReader() *fediReader {
	return &fediReader{w.t, client{http: &http.Client{}, url: w.gts.URL, token: w.gts.Token}}
}

func (f *fediReader) get(id string) (*status, error) {
	var s status
	err := f.api.call(f.t.Context(), http.MethodGet, "/api/v1/statuses/"+id, nil, &s)
	return &s, err
}

// text returns what was written to make a status.
func (f *fediReader) text(id string) string {
	f.t.Helper()
	var s struct{ Text string }
	if err := f.api.call(f.t.Context(), http.MethodGet, "/api/v1/statuses/"+id+"/source", nil, &s); err != nil {
		f.t.Fatal(err)
	}
	return s.Text
}

// answers returns the ids of the statuses below one.
func (f *fediReader) answers(id string) (ids []string) {
	f.t.Helper()
	var around struct{ Descendants []status }
	if err := f.api.call(f.t.Context(), http.MethodGet, "/api/v1/statuses/"+id+"/context", nil, &around); err != nil {
		f.t.Fatal(err)
	}
	for _, s := range around.Descendants {
		ids = append(ids, s.ID)
	}
	return ids
}

// list returns all statuses of the account.
func (f *fediReader) list() []status {
	f.t.Helper()
	var me struct{ ID string }
	if err := f.api.call(f.t.Context(), http.MethodGet, "/api/v1/accounts/verify_credentials", nil, &me); err != nil {
		f.t.Fatal(err)
	}
	var all []status
	for maxID := ""; ; {
		var page []status
		where := url.Values{"limit": {"40"}, "max_id": {maxID}}
		if err := f.api.call(f.t.Context(), http.MethodGet, "/api/v1/accounts/"+me.ID+"/statuses?"+where.Encode(), nil, &page); err != nil {
			f.t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all, maxID = append(all, page...), page[len(page)-1].ID
	}
}

// download reads what an address answers.
func download(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status)
	}
	return io.ReadAll(res.Body)
}
