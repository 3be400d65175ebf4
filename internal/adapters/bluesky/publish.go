package bluesky

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/secret"
)

// publisher sends to one account.
//
// Every part is a record whose key follows from the attempt ([RecordKey]) and is put with the condition
// that there is none yet. So nothing is created twice and nothing that was edited meanwhile is undone,
// however often a delivery is repeated.
type publisher struct {
	options  Options
	password secret.String
	deps     platform.Deps
	api      apihttp.Client
	session  *session
	pages    map[string]page // read for link cards, by address
}

var (
	_ platform.Finder  = (*publisher)(nil)
	_ platform.Editor  = (*publisher)(nil)
	_ platform.Deleter = (*publisher)(nil)
)

// limits are a server's rate limits as its answers tell them. Those to putRecord tell of the tightest of the account's
// points for an hour (5,000) and a day (35,000), of which each such request takes 2, and of the address's requests in
// five minutes (3,000). https://docs.bsky.app/docs/advanced-guides/rate-limits and, for the headers and the points of
// one request, https://github.com/bluesky-social/atproto, packages/xrpc-server/src/rate-limiter.ts and
// packages/pds/src/api/com/atproto/repo/putRecord.ts (2026-11-21).
var limits = apihttp.LimitStyle{Reset: "RateLimit-Reset", Format: apihttp.Unix, Remaining: "RateLimit-Remaining", Cost: 2}

// Open implements [platform.Adapter].
func (Adapter) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	o, err := platform.OptionsOf[Options](a)
	if err != nil {
		return nil, err
	}
	password, err := d.Secret(a, "APP_PASSWORD", "app password")
	if err != nil {
		return nil, err
	}
	p := &publisher{options: *o, password: password, deps: d}
	p.options.Server = strings.TrimSuffix(o.Server, "/")
	p.api = apihttp.Client{
		HTTP: d.HTTP, Base: p.options.Server, Header: p.authorize, Refine: refine,
		Limits: limits, Budget: d.Budget, Timeout: d.Timeout,
		Log: d.Log, Now: d.Now, Secrets: []secret.String{password},
	}
	return p, nil
}

// Verify implements [platform.Publisher]. Logging in tells all but the server's limits; a publisher that has a session asks
// whether that is still good. An app password does not expire.
func (p *publisher) Verify(ctx context.Context) (platform.Identity, error) {
	var who session
	if p.session == nil {
		if err := p.login(ctx); err != nil {
			return platform.Identity{}, err
		}
		who = *p.session
	} else {
		// https://docs.bsky.app/docs/api/com-atproto-server-get-session (2026-11-21)
		if _, err := p.call(ctx, apihttp.Request{Op: "read the session", Path: "/xrpc/com.atproto.server.getSession"}, &who); err != nil {
			return platform.Identity{}, err
		}
	}
	if who.Active != nil && !*who.Active { // it may log in but not post
		return platform.Identity{}, &platform.Error{
			Outcome: platform.Denied, Op: "log in", Message: "the account is " + cmp.Or(who.Status, "not active"), Hint: hintClosed,
		}
	}
	var server struct {
		BlobLimit int `json:"blobUploadLimit"`
	}
	// https://docs.bsky.app/docs/api/com-atproto-server-describe-server (2026-11-21)
	resp, err := p.call(ctx, apihttp.Request{Op: "read the server's limits", Path: "/xrpc/com.atproto.server.describeServer"}, &server)
	if err != nil && (resp == nil || resp.Status != http.StatusNotFound && resp.Status != http.StatusNotImplemented) {
		return platform.Identity{}, err
	}
	id := platform.Identity{ID: p.session.DID, Handle: who.Handle, URL: p.web() + "/profile/" + p.session.DID}
	for _, l := range (Adapter{}).Info().Limits {
		switch l.Name {
		case "image_bytes", "video_bytes", "card_image_bytes":
			if server.BlobLimit > 0 && server.BlobLimit < l.Max {
				l.Max, l.Note = server.BlobLimit, "the server's own setting"
				id.Limits = append(id.Limits, l)
			}
		}
	}
	return id, nil
}

// web is the site on which people see posts. A server on this machine shows them itself, if it can: what
// it holds is not on bsky.app.
func (p *publisher) web() string {
	if local(p.options.Server) {
		return p.options.Server
	}
	return "https://bsky.app"
}

// Publish implements [platform.Publisher]. Everything that can fail without harm, such as uploads, is
// done for all parts before the first is created.
func (p *publisher) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done), At: p.deps.Now()}
	if err := p.login(ctx); err != nil {
		return receipt, err
	}
	if a.N > 1 {
		if err := p.adopt(ctx, r, a, &receipt); err != nil {
			return receipt, err
		}
	}
	if len(receipt.Parts) >= len(r.Parts) {
		return receipt, nil
	}
	records := make([]*record, len(r.Parts))
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		rec, err := p.build(ctx, r, i, nil)
		if err != nil {
			return receipt, err
		}
		rec.CreatedAt = created(a.At, i).Format("2006-01-02T15:04:05.000Z")
		records[i] = rec
	}
	outside, err := p.answered(ctx, r.ReplyTo)
	if err != nil {
		return receipt, err
	}
	chain, err := p.chain(ctx, outside, receipt.Parts)
	if err != nil {
		return receipt, err
	}
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		records[i].Reply = chain
		part, at, err := p.create(ctx, records[i], RecordKey(a.At, a.Key, i), i)
		if err != nil {
			return receipt, err
		}
		receipt.Parts, receipt.At = append(receipt.Parts, part), at
		chain = follow(chain, ref{part.ID, part.Version})
	}
	return receipt, nil
}

// follow returns the reply of the part after one that answers chain and is now at r.
func follow(chain *reply, r ref) *reply {
	if chain == nil {
		return &reply{Root: r, Parent: r}
	}
	return &reply{Root: chain.Root, Parent: r}
}

// adopt adds to the receipt the parts that an earlier try created without anybody knowing.
func (p *publisher) adopt(ctx context.Context, r *platform.Rendering, a platform.Attempt, receipt *platform.Receipt) error {
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		s, err := p.get(ctx, p.session.DID, RecordKey(a.At, a.Key, i))
		if err != nil || s == nil {
			return err
		}
		receipt.Parts = append(receipt.Parts, p.remote(s.ref, i))
	}
	return nil
}

// create puts a new record. If one is there already, which is ours from an earlier try, that stays.
// https://docs.bsky.app/docs/api/com-atproto-repo-put-record (2026-11-21)
func (p *publisher) create(ctx context.Context, rec *record, rkey string, part int) (platform.Remote, time.Time, error) {
	r, resp, err := p.put(ctx, "create post", rec, rkey, nil, true)
	if err == nil {
		return p.remote(r, part), p.serverTime(resp), nil
	}
	if errorName(resp) != "InvalidSwap" {
		return platform.Remote{}, time.Time{}, err
	}
	s, err := p.get(ctx, p.session.DID, rkey)
	if err != nil {
		return platform.Remote{}, time.Time{}, err
	}
	if s == nil || s.Value.Text != rec.Text {
		return platform.Remote{}, time.Time{}, &platform.Error{
			Outcome: platform.Unknown, Op: "create post", Message: "there is another post under the record key " + rkey + " of this delivery",
		}
	}
	return p.remote(s.ref, part), p.serverTime(resp), nil
}

// put writes a record over the one whose state is swap, or where there is none if swap is nil.
func (p *publisher) put(ctx context.Context, op string, rec *record, rkey string, swap *string, creates bool) (ref, *apihttp.Response, error) {
	var out ref
	resp, err := p.call(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: "/xrpc/com.atproto.repo.putRecord", Creates: creates,
		JSON: struct {
			Repo       string  `json:"repo"`
			Collection string  `json:"collection"`
			RKey       string  `json:"rkey"`
			Record     *record `json:"record"`
			SwapRecord *string `json:"swapRecord"` // null, unlike nothing, means "must not exist"
		}{p.session.DID, collection, rkey, rec, swap},
	}, &out)
	if err != nil {
		return ref{}, resp, err
	}
	if !strings.HasSuffix(out.URI, "/"+collection+"/"+rkey) || out.CID == "" {
		e := &platform.Error{Op: op, Status: resp.Status, Message: "the answer does not name the record that was put"}
		if !creates {
			e.Outcome = platform.Unsent
		}
		return ref{}, resp, e
	}
	return out, resp, nil
}

// get returns a record of a post, nil when there is none.
// https://docs.bsky.app/docs/api/com-atproto-repo-get-record (2026-11-21)
func (p *publisher) get(ctx context.Context, repo, rkey string) (*stored, error) {
	var s stored
	resp, err := p.call(ctx, apihttp.Request{
		Op: "look for the post", Path: "/xrpc/com.atproto.repo.getRecord",
		Query: url.Values{"repo": {repo}, "collection": {collection}, "rkey": {rkey}},
	}, &s)
	switch {
	case errorName(resp) == "RecordNotFound":
		return nil, nil
	case err != nil:
		return nil, err
	case !s.valid():
		return nil, &platform.Error{Outcome: platform.Unsent, Op: "look for the post", Message: "the answer is not a record"}
	}
	return &s, nil
}

// remote describes a record as a part of a receipt.
func (p *publisher) remote(r ref, part int) platform.Remote {
	_, rkey, _ := postOf(r.URI)
	return platform.Remote{ID: r.URI, URL: p.web() + "/profile/" + p.session.DID + "/post/" + rkey, Part: part, Version: r.CID}
}

// serverTime is the server's clock at an answer, ours where it does not tell.
func (p *publisher) serverTime(resp *apihttp.Response) time.Time {
	if resp != nil {
		if t, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			return t
		}
	}
	return p.deps.Now()
}

// build makes the record of a part, all but its time and place in the thread. Files that the record's
// present state holds already, by CID, are not uploaded again.
func (p *publisher) build(ctx context.Context, r *platform.Rendering, i int, present *stored) (*record, error) {
	part := &r.Parts[i]
	dids, err := p.resolveMentions(ctx, part)
	if err != nil {
		return nil, err
	}
	rec := &record{
		Type: collection, Text: part.Text, Facets: facets(part, dids), Langs: r.Language, Labels: selfLabelsOf(r.Labels),
	}
	if i == 0 {
		rec.Tags = r.Tags
	}
	var media any
	var have map[string]*blob
	if present != nil {
		have = blobsIn(present.Value.Embed)
	}
	switch {
	case len(part.Media) > 0:
		media, err = p.attach(ctx, part.Media, have)
	case part.Card != nil:
		media, err = p.external(ctx, part.Card, present, have)
	}
	if err != nil {
		return nil, err
	}
	rec.Embed = media
	if i > 0 || r.Quote == "" {
		return rec, nil
	}
	quoted, err := p.referred(ctx, "quote", r.Quote)
	if err != nil {
		return nil, err
	}
	q := quote{"app.bsky.embed.record", quoted.ref}
	rec.Embed = q
	if media != nil {
		rec.Embed = quoteWithMedia{"app.bsky.embed.recordWithMedia", q, media}
	}
	return rec, nil
}

// attach uploads a part's media and returns their embed.
func (p *publisher) attach(ctx context.Context, list []platform.Media, have map[string]*blob) (any, error) {
	embed := images{Type: "app.bsky.embed.images"}
	for _, m := range list {
		b, err := p.upload(ctx, m, have)
		if err != nil {
			return nil, err
		}
		var aspect *ratio
		if sent := m.Sent(); sent.Width > 0 && sent.Height > 0 {
			aspect = &ratio{sent.Width, sent.Height}
		}
		if strings.HasPrefix(m.MIME, "video/") {
			return video{"app.bsky.embed.video", b, m.Alt, aspect}, nil
		}
		embed.Images = append(embed.Images, image{b, m.Alt, aspect})
	}
	return embed, nil
}

// upload stores one of the site's files, unless the server has it.
func (p *publisher) upload(ctx context.Context, m platform.Media, have map[string]*blob) (*blob, error) {
	if len(have) > 0 {
		if b, ok := have[blobCID(p.sentDigest(m))]; ok {
			return b, nil
		}
	}
	data, err := apihttp.ReadMedia(p.deps.Media, m)
	if err != nil {
		return nil, err
	}
	return p.uploadBytes(ctx, "upload "+m.Path, m.Sent().MIME, data)
}

// sentDigest returns the digest of a file as it is sent, "" for one that cannot be made to fit.
func (p *publisher) sentDigest(m platform.Media) string {
	if m.Fit == nil {
		return m.Digest
	}
	data, err := apihttp.ReadMedia(p.deps.Media, m)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// uploadBytes stores a file, which the server keeps for some minutes until a record mentions it. It takes 1,000 files
// a day, which it does not count with the records (packages/pds/src/api/com/atproto/repo/uploadBlob.ts).
// https://docs.bsky.app/docs/api/com-atproto-repo-upload-blob (2026-11-21)
func (p *publisher) uploadBytes(ctx context.Context, op, mime string, data []byte) (*blob, error) {
	var out struct {
		Blob blob `json:"blob"`
	}
	_, err := p.call(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: "/xrpc/com.atproto.repo.uploadBlob", Data: data, ContentType: mime, OwnLimit: true,
	}, &out)
	if err != nil {
		return nil, err
	}
	if out.Blob.Type != "blob" || out.Blob.Ref.Link == "" {
		return nil, &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer does not describe the file"}
	}
	return &out.Blob, nil
}

// external returns the embed of a link card. The words of a card that an edit does not change are kept
// as they were read when the post went out.
func (p *publisher) external(ctx context.Context, c *platform.Card, present *stored, have map[string]*blob) (any, error) {
	card := external{"app.bsky.embed.external", link{URI: c.URL, Title: c.Title, Description: c.Description}}
	if c.Fetch {
		if old := cardIn(present); old != nil && old.URI == c.URL {
			card.External = *old
			return card, nil
		}
		page := p.readPage(ctx, c.URL)
		if card.External.Title == "" {
			card.External.Title = page.title
		}
		if card.External.Description == "" {
			card.External.Description = page.description
		}
		if c.Image == nil && page.image != nil {
			thumb, err := p.uploadBytes(ctx, "upload the link card's picture", page.mime, page.image)
			if err != nil && platform.OutcomeOf(err) != platform.Rejected { // a refused one is left out
				return nil, err
			}
			card.External.Thumb = thumb
		}
	}
	if c.Image != nil {
		thumb, err := p.upload(ctx, *c.Image, have)
		if err != nil {
			return nil, err
		}
		card.External.Thumb = thumb
	}
	return card, nil
}

// resolveMentions returns the accounts behind a part's mentions. A handle that provably belongs to
// nobody is left out: its mention stays plain text, as in Bluesky's own clients.
func (p *publisher) resolveMentions(ctx context.Context, part *platform.Part) (map[string]string, error) {
	dids := map[string]string{}
	for _, f := range part.Facets {
		if f.Kind != platform.FacetMention {
			continue
		}
		did, err := p.resolve(ctx, f.Value)
		if platform.OutcomeOf(err) == platform.Rejected && err != nil {
			if p.deps.Log != nil {
				p.deps.Log.WarnContext(ctx, "a mention leads to nobody and stays plain text", "handle", f.Value)
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		dids[f.Value] = did
	}
	return dids, nil
}

// resolve returns the DID of a handle. The error is Rejected if the handle provably has none.
// https://docs.bsky.app/docs/api/com-atproto-identity-resolve-handle (2026-11-21)
func (p *publisher) resolve(ctx context.Context, handle string) (string, error) {
	if strings.HasPrefix(handle, "did:") {
		return handle, nil
	}
	var out struct {
		DID string `json:"did"`
	}
	op := "resolve @" + handle
	_, err := p.call(ctx, apihttp.Request{
		Op: op, Path: "/xrpc/com.atproto.identity.resolveHandle", Query: url.Values{"handle": {handle}},
	}, &out)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(out.DID, "did:") {
		return "", &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer has no DID"}
	}
	return out.DID, nil
}

// referred returns the post at an address that a rendering refers to. An own server asks the network for
// posts of others.
func (p *publisher) referred(ctx context.Context, what, address string) (*stored, error) {
	op := "find the post to " + what
	who, rkey, ok := postOf(address)
	if !ok {
		return nil, &platform.Error{Outcome: platform.Rejected, Op: op, Message: fmt.Sprintf("%q is not the address of a post", address)}
	}
	did, err := p.resolve(ctx, who)
	if err != nil {
		return nil, err
	}
	s, err := p.get(ctx, did, rkey)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, &platform.Error{Outcome: platform.Rejected, Op: op, Message: fmt.Sprintf("there is no post at %q", address)}
	}
	return s, nil
}

// answered returns the reply that the first part is, nil when it answers nobody.
func (p *publisher) answered(ctx context.Context, address string) (*reply, error) {
	if address == "" {
		return nil, nil
	}
	s, err := p.referred(ctx, "answer", address)
	if err != nil {
		return nil, err
	}
	chain := &reply{Root: s.ref, Parent: s.ref}
	if s.Value.Reply != nil {
		chain.Root = s.Value.Reply.Root
	}
	return chain, nil
}

// chain returns the reply of the part after those that exist, in a thread whose first part answers outside.
func (p *publisher) chain(ctx context.Context, outside *reply, done []platform.Remote) (*reply, error) {
	chain := outside
	for i, part := range done {
		r := ref{part.ID, part.Version}
		if r.CID == "" && (i == 0 || i == len(done)-1) {
			_, rkey, _ := postOf(part.ID)
			s, err := p.get(ctx, p.session.DID, rkey)
			if err != nil {
				return nil, err
			}
			if s == nil {
				return nil, gone(part)
			}
			r = s.ref
		}
		chain = follow(chain, r)
	}
	return chain, nil
}

func gone(part platform.Remote) error {
	return &platform.Error{
		Outcome: platform.Rejected, Op: "look for the post",
		Message: "part " + strconv.Itoa(part.Part+1) + " is no longer on the network: " + part.ID,
	}
}

// Find implements [platform.Finder]. The record keys tell for certain. Where there is nothing under
// them, posts since the attempt with the same words are taken for ours: the ledger that knew the
// attempt may have been lost.
func (p *publisher) Find(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done), At: created(a.At, 0)}
	if err := p.login(ctx); err != nil {
		return receipt, err
	}
	if err := p.adopt(ctx, r, a, &receipt); err != nil {
		return platform.Receipt{}, err
	}
	if len(receipt.Parts) == 0 && !a.Since.IsZero() {
		recent, err := p.since(ctx, a.Since)
		if err != nil {
			return platform.Receipt{}, err
		}
		if err := p.recognise(ctx, r, a, recent, &receipt); err != nil {
			return platform.Receipt{}, err
		}
	}
	if len(receipt.Parts) == 0 {
		return receipt, platform.ErrNotFound
	}
	return receipt, nil
}

// recognise adds the parts that are among recent posts, by what they say and their place. Of several threads that begin
// alike it takes the most complete one, of equals the first after the attempt or else the last before it.
func (p *publisher) recognise(ctx context.Context, r *platform.Rendering, a platform.Attempt, recent []stored, receipt *platform.Receipt) error {
	answers, err := p.uri(ctx, r.ReplyTo)
	if err != nil {
		return err
	}
	quotes, err := p.uri(ctx, r.Quote)
	if err != nil {
		return err
	}
	slices.SortStableFunc(recent, func(x, y stored) int {
		xt, yt := x.createdAt(), y.createdAt()
		switch xLater, yLater := !xt.Before(a.At), !yt.Before(a.At); {
		case xLater && yLater:
			return xt.Compare(yt)
		case xLater:
			return -1
		case yLater:
			return 1
		default:
			return yt.Compare(xt)
		}
	})
	var thread func(i int, parent string) []*stored
	thread = func(i int, parent string) (best []*stored) {
		for k := range recent {
			if len(best) == len(r.Parts)-i {
				break
			}
			s := &recent[k]
			if s.parent() != parent || slices.Contains(a.Owned, s.URI) || !s.says(&r.Parts[i], p.sentDigest) || i == 0 && s.quoted() != quotes {
				continue
			}
			if found := append([]*stored{s}, thread(i+1, s.URI)...); len(found) > len(best) {
				best = found
			}
		}
		return best
	}
	for i, s := range thread(0, answers) {
		receipt.Parts = append(receipt.Parts, p.remote(s.ref, i))
		receipt.At = s.createdAt()
	}
	return nil
}

// uri returns the AT URI of the post at an address, "" for none. Whether there is one is not asked.
func (p *publisher) uri(ctx context.Context, address string) (string, error) {
	if address == "" {
		return "", nil
	}
	who, rkey, ok := postOf(address)
	if !ok {
		return "", &platform.Error{Outcome: platform.Rejected, Op: "look for the post", Message: fmt.Sprintf("%q is not the address of a post", address)}
	}
	did, err := p.resolve(ctx, who)
	if err != nil {
		return "", err
	}
	return "at://" + did + "/" + collection + "/" + rkey, nil
}

// maxPages bounds how far back posts are read, 100 on a page.
const maxPages = 20

// since returns the account's posts since t. They are listed by their keys, which begin with the time at which they were
// made: the time that a record states may be any, of imported posts above all.
// https://docs.bsky.app/docs/api/com-atproto-repo-list-records (2026-11-21)
func (p *publisher) since(ctx context.Context, t time.Time) ([]stored, error) {
	const op = "list posts"
	var list []stored
	cursor := ""
	for range maxPages {
		query := url.Values{"repo": {p.session.DID}, "collection": {collection}, "limit": {"100"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var page struct {
			Records *[]stored `json:"records"`
			Cursor  string    `json:"cursor"`
		}
		if _, err := p.call(ctx, apihttp.Request{Op: op, Path: "/xrpc/com.atproto.repo.listRecords", Query: query}, &page); err != nil {
			return nil, err
		}
		if page.Records == nil {
			return nil, &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer has no list"}
		}
		last := ""
		for _, s := range *page.Records {
			if !s.valid() {
				return nil, &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the list holds something that is not a record"}
			}
			if !s.createdAt().Before(t) {
				list = append(list, s)
			}
			_, last, _ = postOf(s.URI)
		}
		if page.Cursor == "" || page.Cursor == cursor {
			return list, nil
		}
		if made, ok := keyTime(last); ok && made.Before(t.Add(-2*spread*time.Microsecond)) {
			return list, nil
		}
		cursor = page.Cursor
	}
	return nil, &platform.Error{
		Outcome: platform.Unsent, Op: op, Message: fmt.Sprintf("there are more than %d posts since %s", maxPages*100, t.Format(time.RFC3339)),
		Hint: "look for the post yourself, then tell with `postrider resolve`",
	}
}

// Edit implements [platform.Editor]. Time and place in the thread stay. Answers and quotes refer to a
// post's state and keep pointing to the old one, which networks show as the post all the same.
func (p *publisher) Edit(ctx context.Context, old platform.Receipt, r *platform.Rendering) (platform.Receipt, error) {
	if len(old.Parts) != len(r.Parts) {
		return old, &platform.Error{
			Outcome: platform.Rejected, Op: "edit post", Err: platform.ErrCannotEdit,
			Message: fmt.Sprintf("%d parts are published and %d are to be: the network cannot change that", len(old.Parts), len(r.Parts)),
		}
	}
	if err := p.login(ctx); err != nil {
		return old, err
	}
	now := platform.Receipt{Parts: slices.Clone(old.Parts), At: old.At}
	for i := range r.Parts {
		_, rkey, ok := postOf(old.Parts[i].ID)
		if !ok {
			return now, &platform.Error{Outcome: platform.Rejected, Op: "edit post", Message: fmt.Sprintf("%q is not a post", old.Parts[i].ID)}
		}
		present, err := p.get(ctx, p.session.DID, rkey)
		if err != nil {
			return now, err
		}
		if present == nil {
			return now, gone(old.Parts[i])
		}
		rec, err := p.build(ctx, r, i, present)
		if err != nil {
			return now, err
		}
		rec.CreatedAt, rec.Reply = present.Value.CreatedAt, present.Value.Reply
		changed, resp, err := p.put(ctx, "edit post", rec, rkey, &present.CID, false)
		if errorName(resp) == "InvalidSwap" {
			return now, &platform.Error{Outcome: platform.Unsent, Op: "edit post", Status: resp.Status, Message: "somebody else changed the post at the same time"}
		}
		if err != nil {
			return now, err
		}
		now.Parts[i], now.At = p.remote(changed, i), p.serverTime(resp)
	}
	return now, nil
}

// Delete implements [platform.Deleter].
// https://docs.bsky.app/docs/api/com-atproto-repo-delete-record (2026-11-21)
func (p *publisher) Delete(ctx context.Context, old platform.Receipt) error {
	if err := p.login(ctx); err != nil {
		return err
	}
	for _, part := range slices.Backward(old.Parts) {
		_, rkey, ok := postOf(part.ID)
		if !ok {
			return &platform.Error{Outcome: platform.Rejected, Op: "delete post", Message: fmt.Sprintf("%q is not a post", part.ID)}
		}
		_, err := p.call(ctx, apihttp.Request{
			Op: "delete post", Method: http.MethodPost, Path: "/xrpc/com.atproto.repo.deleteRecord",
			JSON: map[string]string{"repo": p.session.DID, "collection": collection, "rkey": rkey},
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}
