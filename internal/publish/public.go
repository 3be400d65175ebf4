package publish

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// publicTimeout bounds how long a file may take to come from its public address.
const publicTimeout = time.Minute

// publicMedia returns what makes the files of an account's deliveries public, nil where site.yaml does not say how. They go into the
// bucket, or are public already: whoever pushed the commit has seen to that. What is found at the address is compared with what
// was rendered, so that no network is sent to a page that says that there is nothing, or to another version of a picture.
func (r *run) publicMedia(l *leash) func(context.Context, platform.Media) (string, error) {
	place := r.Site.Config().Media
	if place.Bucket.Name != "" {
		return func(ctx context.Context, m platform.Media) (string, error) { return r.shelve(ctx, l.job.Load(), m) }
	}
	if place.PublicURL == "" {
		return nil
	}
	return func(ctx context.Context, m platform.Media) (string, error) {
		fail := func(err error, hint string) (string, error) {
			return "", &platform.Error{Outcome: platform.Unsent, Op: "look at the public address of " + m.Path, Err: err, Hint: hint}
		}
		if m.Fit != nil {
			return fail(errors.New("the file would have to be changed, and its address gives it as it is"), "commit it as the network takes it, or set media.bucket in site.yaml")
		}
		j := l.job.Load()
		if _, err := apihttp.ReadMedia(j.media, m); err != nil {
			return "", err
		}
		address := place.Address(j.commit, m.Path)
		if err := r.seenThere(ctx, address, content{m.Digest, m.MIME, m.Bytes}); err != nil {
			return fail(fmt.Errorf("%s: %w", address, err),
				"open it in a private window: everybody must get the file there; media.public_url in site.yaml makes the address")
		}
		return address, nil
	}
}

// content is what is to be found at an address.
type content struct {
	digest, mime string
	bytes        int64
}

// seenThere gets a file from its address and reports how it differs from what is to be there.
func (d *Desk) seenThere(ctx context.Context, address string, want content) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(d.RequestTimeout, publicTimeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return plainly(err)
	}
	req.Header.Set("User-Agent", apihttp.UserAgent)
	resp, err := d.HTTP.Do(req)
	if err != nil {
		return plainly(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", resp.Status)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	// Hosts of repositories know the types of pictures, and often not those of videos.
	if kind != want.mime && (kind != "application/octet-stream" || strings.HasPrefix(want.mime, "image/")) {
		return fmt.Errorf("it is served as %q, and is %s", kind, want.mime)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(resp.Body, want.bytes+1))
	if err != nil {
		return fmt.Errorf("after %d bytes: %w", n, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != want.digest {
		return fmt.Errorf("another file is there, of which %d bytes were read; ours has %d", n, want.bytes)
	}
	return nil
}
