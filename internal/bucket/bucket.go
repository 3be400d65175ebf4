// Package bucket puts files into an S3-compatible bucket, where networks that fetch media from addresses find them, and takes them
// away again. It alone imports minio-go.
//
// An object is named after its bytes, so that to put it there twice is harmless, and two runs that send one picture share it. What a run
// that died has left is older than [config.Bucket.Keep] says one day, and [Bucket.Sweep] removes it. Nothing else in the bucket is touched.
package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

// Keys are what a bucket lets us in with.
type Keys struct {
	ID, Secret secret.String
	Session    secret.String // of keys that are valid for a while; may be absent
}

// LookupKeys looks the keys up with env: Postrider's own variables, else those that other tools use, but never some of each. The
// error, if any, is a *[platform.MissingSecretError].
func LookupKeys(env func(string) string) (Keys, error) {
	specs := config.BucketSecrets()
	lookup := func(name func(platform.SecretSpec) string) Keys {
		values := map[string]secret.String{}
		for _, spec := range specs {
			values[spec.Name] = secret.New(env(name(spec)))
		}
		return Keys{ID: values[config.BucketKeyID], Secret: values[config.BucketSecretKey], Session: values[config.BucketSession]}
	}
	own := func(spec platform.SecretSpec) string { return platform.EnvName(config.BucketOwner, spec.Name) }
	keys := lookup(own)
	if keys.ID.IsZero() && keys.Secret.IsZero() {
		keys = lookup(func(spec platform.SecretSpec) string { return spec.Aliases[0] })
	}
	missing := &platform.MissingSecretError{Owner: "media.bucket"}
	for i, value := range []secret.String{keys.ID, keys.Secret} {
		if value.IsZero() {
			missing.Names, missing.Specs = append(missing.Names, own(specs[i])), append(missing.Specs, specs[i])
		}
	}
	if len(missing.Names) > 0 {
		return keys, missing
	}
	return keys, nil
}

// Bucket is a bucket in which we may put objects. It is safe for concurrent use.
type Bucket struct {
	config config.Bucket
	client minio.Core
	now    func() time.Time
}

// defaultRegion is the region of services that have none: https://docs.aws.amazon.com/general/latest/gr/s3.html (2026-11-22), and
// what others take for the one they have.
const defaultRegion = "us-east-1"

// Open returns a bucket. It does not touch the network.
func Open(c config.Bucket, k Keys, transport http.RoundTripper, now func() time.Time) (*Bucket, error) {
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, err
	}
	region := c.Region
	if region == "" {
		region = s3utils.GetRegionFromURL(*endpoint)
	}
	if region == "" { // or it would be asked for, which takes a permission of its own
		region = defaultRegion
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:     credentials.NewStaticV4(k.ID.Reveal(), k.Secret.Reveal(), k.Session.Reveal()),
		Secure:    endpoint.Scheme == "https",
		Transport: transport,
		Region:    region,
		// Who calls knows how often to try, and for how long.
		MaxRetries: 1,
	})
	if err != nil {
		return nil, err
	}
	client.SetAppInfo("postrider", "1")
	return &Bucket{config: c, client: minio.Core{Client: client}, now: now}, nil
}

// Key returns the name of the object that holds a file, by the hex SHA-256 of its bytes.
func (b *Bucket) Key(digest, mime string) string { return b.config.Prefix + digest + extension(mime) }

// extension returns the ending of a file's name: servers in front of a bucket may go by it, and people do.
func extension(mime string) string {
	switch mime {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/gif":
		return ".gif"
	case "image/webp":
		return ".webp"
	case "video/mp4":
		return ".mp4"
	case "video/quicktime":
		return ".mov"
	}
	return ""
}

// owns reports whether an object is named as ours are.
func (b *Bucket) owns(key string) bool {
	name, ok := strings.CutPrefix(key, b.config.Prefix)
	if !ok || len(name) < 2*sha256.Size {
		return false
	}
	digest, ext := name[:2*sha256.Size], name[2*sha256.Size:]
	return strings.Trim(digest, "0123456789abcdef") == "" && !strings.ContainsRune(ext, '/') && (ext == "" || ext[0] == '.')
}

// Put uploads a file in one request, under the name that Key gives it, so that what breaks off leaves nothing behind. The service refuses
// bytes that are not those of the digest.
func (b *Bucket) Put(ctx context.Context, digest, mime string, data []byte) error {
	_, err := b.client.PutObject(ctx, b.config.Name, b.Key(digest, mime), bytes.NewReader(data), int64(len(data)), "", digest, minio.PutObjectOptions{
		ContentType: mime, DisableContentSha256: true, // the digest is given
	})
	return b.explain("upload", err)
}

// maxSigned is how long an address can be signed for.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html (2026-11-22)
const maxSigned = 7 * 24 * time.Hour

// Address returns where the world gets an object: as site.yaml makes addresses, or one that is signed and ends when the object may be
// swept away. What a signed one is signed with stands in its query.
func (b *Bucket) Address(ctx context.Context, key string) (string, error) {
	if b.config.PublicURL != "" {
		return b.config.Address(key), nil
	}
	u, err := b.client.PresignedGetObject(ctx, b.config.Name, key, min(b.config.Keep, maxSigned), nil)
	if err != nil {
		return "", b.explain("sign an address of", err)
	}
	return u.String(), nil
}

// Delete removes an object. One that is gone already is a success.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if !b.owns(key) {
		return fmt.Errorf("%q is not ours to delete", key)
	}
	return b.explain("delete", b.client.RemoveObject(ctx, b.config.Name, key, minio.RemoveObjectOptions{}))
}

// The bounds of one [Bucket.Sweep].
const (
	maxListed = 1000
	maxSwept  = 100
)

// Sweep removes objects of ours that have been there for longer than [config.Bucket.Keep], but for those that are needed, and returns how
// many. It looks at so many only that it takes a moment; what is left is for the next time.
func (b *Bucket) Sweep(ctx context.Context, needed map[string]bool) (removed int, err error) {
	ctx, cancel := context.WithCancel(ctx) // ends the listing when this returns
	defer cancel()
	end := b.now().Add(-b.config.Keep)
	listed := 0
	for object := range b.client.ListObjectsIter(ctx, b.config.Name, minio.ListObjectsOptions{Prefix: b.config.Prefix, MaxKeys: maxListed}) {
		if object.Err != nil {
			return removed, b.explain("list", object.Err)
		}
		if listed++; listed > maxListed || removed == maxSwept {
			break
		}
		if !b.owns(object.Key) || needed[object.Key] || object.LastModified.IsZero() || object.LastModified.After(end) {
			continue
		}
		if err := b.Delete(ctx, object.Key); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// explain returns an error of the service as what it is to a delivery: nothing was sent to any network.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (2026-11-22)
func (b *Bucket) explain(verb string, err error) error {
	if err == nil {
		return nil
	}
	e := &platform.Error{Outcome: platform.Unsent, Op: verb + " an object in the bucket " + b.config.Name, Err: err}
	r, ok := errors.AsType[minio.ErrorResponse](err)
	if !ok {
		if u, isURL := errors.AsType[*url.Error](err); isURL { // its address says no more than site.yaml, and its query more than it should
			e.Err = fmt.Errorf("%s: %w", b.config.Endpoint, u.Err)
		}
		e.Hint = "is media.bucket.endpoint in site.yaml right, and does the service answer?"
		return e
	}
	e.Status, e.Message = r.StatusCode, strings.TrimSpace(r.Message)
	if r.Code != "" {
		e.Message = r.Code + ": " + e.Message
	}
	switch r.Code {
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken":
		e.Hint = "are the bucket's keys right? Set " + platform.EnvName(config.BucketOwner, config.BucketKeyID) + " and " + platform.EnvName(config.BucketOwner, config.BucketSecretKey)
	case "AccessDenied", "AllAccessDisabled", "AccountProblem":
		e.Hint = fmt.Sprintf("the key must be allowed to put, get and delete objects %s*, and to list them: docs/SITE.md has the policy", b.config.Prefix)
	case "NoSuchBucket":
		e.Hint = "media.bucket.name in site.yaml names the bucket, and media.bucket.endpoint the service that has it"
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "InvalidRegion", "IllegalLocationConstraintException":
		e.Hint = "set media.bucket.region in site.yaml"
		if r.Region != "" {
			e.Hint += ": the service says " + r.Region
		}
	case "RequestTimeTooSkewed":
		e.Hint = "this machine's clock is wrong: set it, for example with NTP"
	default:
		e.Hint = "look at the bucket with the service's own tools; a later run tries again"
	}
	return e
}
