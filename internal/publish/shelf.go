package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/bucket"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// tidyTime bounds how long a run takes to clear its objects out of the bucket: they cost next to nothing, and a later run sees to them.
const tidyTime = 30 * time.Second

// shelf is what a run has in the site's bucket, and for which deliveries.
//
// Objects are removed at the end of the run, once the deliveries that needed them are settled: those that are out, or will never be.
// A network may still be fetching what it was told of for any other. What this leaves behind, and a run that dies, is swept away when
// it is old.
type shelf struct {
	*bucket.Bucket
	signed bool // addresses are signed, so that nobody may see their queries

	mu       sync.Mutex
	objects  map[string]*object     // by key
	keys     map[file]string        // of the objects
	released map[ledger.ID]bool     // deliveries that need nothing any more
	users    map[string][]ledger.ID // of objects, by key
}

// object is a file in the bucket.
type object struct {
	mu      sync.Mutex
	address string // once it is there, and has been seen there
}

// file is what a rendering sends: a file of the site, and how that is made to fit.
type file struct {
	digest, mime string
	fit          platform.Fit
}

func fileOf(m *platform.Media) file {
	f := file{digest: m.Digest, mime: m.MIME}
	if m.Fit != nil {
		f.fit = *m.Fit
	}
	return f
}

// openShelf opens the bucket when the run may need it.
func (r *run) openShelf() error {
	place := r.Site.Config().Media.Bucket
	if place.Name == "" {
		return nil
	}
	needed := false
	for _, j := range r.jobs {
		_, adapter, ok := r.Site.Account(j.Account)
		j.fetched = ok && adapter.Info().FetchesMedia
		needed = needed || j.fetched && (j.Verb == plan.Reconcile || j.Verb == plan.Resume || len(mediaOf(j.rendering)) > 0)
	}
	if !needed {
		return nil
	}
	b, err := r.bucket(r.Site)
	if missing, ok := errors.AsType[*platform.MissingSecretError](err); ok {
		return &SecretsError{Missing: []*platform.MissingSecretError{missing}}
	}
	if err != nil {
		return fmt.Errorf("nothing was sent: %w", err)
	}
	r.shelf = &shelf{
		Bucket: b, signed: place.PublicURL == "",
		objects: map[string]*object{}, keys: map[file]string{}, released: map[ledger.ID]bool{}, users: map[string][]ledger.ID{},
	}
	return nil
}

// bucket opens a site's bucket. It does not touch the network.
func (d *Desk) bucket(site Site) (*bucket.Bucket, error) {
	keys, err := site.BucketKeys()
	if err != nil {
		return nil, err
	}
	return bucket.Open(site.Config().Media.Bucket, keys, d.HTTP.Transport, d.Now)
}

// mediaOf returns the files that a rendering sends; it may be nil.
func mediaOf(r *platform.Rendering) (files []*platform.Media) {
	if r == nil {
		return nil
	}
	for i := range r.Parts {
		for k := range r.Parts[i].Media {
			files = append(files, &r.Parts[i].Media[k])
		}
	}
	return files
}

// shelve puts a file into the bucket as the network is to get it, looks at it there, and returns its address.
func (r *run) shelve(ctx context.Context, j *job, m platform.Media) (string, error) {
	data, err := apihttp.ReadMedia(j.media, m)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	digest, mime := hex.EncodeToString(sum[:]), m.Sent().MIME
	key := r.shelf.Key(digest, mime)
	o := r.shelf.use(key, fileOf(&m), j.ID())
	o.mu.Lock() // whoever needs the same file waits for it
	defer o.mu.Unlock()
	if o.address != "" {
		return o.address, nil
	}
	if err := r.shelf.Put(ctx, digest, mime, data); err != nil {
		return "", err
	}
	r.Log.Debug("put into the bucket", "path", m.Path, "key", key, "bytes", len(data))
	address, err := r.shelf.Address(ctx, key)
	if err != nil {
		return "", err
	}
	if err := r.seenThere(ctx, address, content{digest, mime, int64(len(data))}); err != nil {
		return "", &platform.Error{
			Outcome: platform.Unsent, Op: "look at the public address of " + m.Path, Err: fmt.Errorf("%s: %w", shown(address), err), Hint: r.shelf.lookHint(),
		}
	}
	o.address = address
	return address, nil
}

// lookHint says what to do when an object is not where the world is to find it.
func (s *shelf) lookHint() string {
	if s.signed {
		return "the key must be allowed to get objects, and the network must reach the bucket's service: a signed address is good for what its key may do"
	}
	return "everybody must get the object there: media.bucket.public_url in site.yaml makes the address; leave it out, and addresses are signed"
}

// shown returns an address without its query: who has that of a signed one gets the file.
func shown(address string) string {
	bare, _, _ := strings.Cut(address, "?")
	return bare
}

// use notes that a delivery needs an object.
func (s *shelf) use(key string, f file, id ledger.ID) *object {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects[key] == nil {
		s.objects[key] = new(object)
	}
	s.keys[f] = key
	s.users[key] = append(s.users[key], id)
	return s.objects[key]
}

// release notes that a delivery of a rendering needs no objects any more, those included that an earlier run has put there for it.
func (r *run) release(j *job, rendering *platform.Rendering) {
	if r.shelf == nil || !j.fetched {
		return
	}
	for _, m := range mediaOf(rendering) {
		r.shelf.mu.Lock()
		_, known := r.shelf.keys[fileOf(m)]
		r.shelf.mu.Unlock()
		if known {
			continue
		}
		digest := m.Digest
		if m.Fit != nil {
			data, err := apihttp.ReadMedia(j.media, *m)
			if err != nil {
				r.Log.Debug("what an earlier run has in the bucket is left until it is old", "path", m.Path, "err", err)
				continue
			}
			sum := sha256.Sum256(data)
			digest = hex.EncodeToString(sum[:])
		}
		r.shelf.use(r.shelf.Key(digest, m.Sent().MIME), fileOf(m), j.ID())
	}
	r.shelf.mu.Lock()
	defer r.shelf.mu.Unlock()
	r.shelf.released[j.ID()] = true
}

// tidy removes the objects that no delivery needs any more, and what runs that died have left.
func (r *run) tidy(ctx context.Context) {
	if r.shelf == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	needed, err := r.needed()
	if err != nil {
		r.Log.Warn("the bucket is not tidied, as the ledger cannot be looked at", "err", err)
		return
	}
	for key := range r.shelf.objects {
		if needed[key] {
			continue
		}
		if err := r.shelf.Delete(ctx, key); err != nil {
			r.Log.Warn("an object is left in the bucket until it is old", "key", key, "err", err)
		}
	}
	n, err := r.shelf.Sweep(ctx, needed)
	if err != nil {
		r.Log.Warn("the bucket cannot be swept", "err", err)
	} else if n > 0 {
		r.Log.Info("what earlier runs had left in the bucket is removed", "objects", n)
	}
}

// needed returns the keys of the objects that are still needed: by this run's deliveries that are not settled, and by those of other
// runs whose outcome is open.
func (r *run) needed() (map[string]bool, error) {
	view, err := r.Ledger.View()
	if err != nil {
		return nil, err
	}
	open, err := view.Open()
	if err != nil {
		return nil, err
	}
	r.shelf.mu.Lock()
	defer r.shelf.mu.Unlock()
	needed := map[string]bool{}
	for key, users := range r.shelf.users {
		for _, id := range users {
			needed[key] = needed[key] || !r.shelf.released[id]
		}
	}
	for _, rec := range open {
		if rec.State != ledger.Sending && rec.State != ledger.Unknown || r.shelf.released[rec.ID()] {
			continue
		}
		for _, m := range mediaOf(rec.Rendering) {
			if key, ok := r.shelf.keys[fileOf(m)]; ok {
				needed[key] = true
			}
		}
	}
	return needed, nil
}

// BucketHealth is how a site's bucket is.
type BucketHealth struct {
	Place   string // its name, with what objects' names begin with
	Signed  bool   // addresses are signed
	Removed int    // objects that runs which died had left
	// Err is a [*platform.MissingSecretError], or a [*platform.Error] that says what could not be done.
	Err error
}

// Bucket looks whether publishing could put files into the site's bucket: it puts a line of text there, gets it as a network would, and
// takes it away again, with what runs that died have left. It is false where the site has no bucket.
func (d *Desk) Bucket(ctx context.Context) (health BucketHealth, ok bool, err error) {
	site, err := d.SiteAt(d.Commit)
	if err != nil {
		return BucketHealth{}, false, err
	}
	place := site.Config().Media.Bucket
	if place.Name == "" {
		return BucketHealth{}, false, nil
	}
	health = BucketHealth{Place: place.Name + "/" + place.Prefix, Signed: place.PublicURL == ""}
	ctx, cancel := context.WithTimeout(ctx, verifyTime)
	defer cancel()
	health.Removed, health.Err = d.tryBucket(ctx, site)
	return health, true, nil
}

func (d *Desk) tryBucket(ctx context.Context, site Site) (removed int, err error) {
	b, err := d.bucket(site)
	if err != nil {
		return 0, err
	}
	s := shelf{Bucket: b, signed: site.Config().Media.Bucket.PublicURL == ""}
	const mime = "text/plain"
	data := []byte("Postrider looks whether it may put files here, at " + d.Now().UTC().Format(time.RFC3339Nano) + ".\n")
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	if err := s.Put(ctx, digest, mime, data); err != nil {
		return 0, err
	}
	key := s.Key(digest, mime)
	address, err := s.Address(ctx, key)
	if err == nil {
		if err = d.seenThere(ctx, address, content{digest, mime, int64(len(data))}); err != nil {
			err = &platform.Error{Outcome: platform.Unsent, Op: "look at a public address", Err: fmt.Errorf("%s: %w", shown(address), err), Hint: s.lookHint()}
		}
	}
	if gone := s.Delete(ctx, key); err == nil {
		err = gone
	}
	if err != nil {
		return 0, err
	}
	return s.Sweep(ctx, nil)
}

// plainly returns an error of a request without the address that it quotes.
func plainly(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
